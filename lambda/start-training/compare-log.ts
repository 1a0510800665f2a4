/** What is new in the event log: its listing and the ledger, compared as two streams. */
import type { PassedOver } from '../../domain/listing.ts';
import type { HeldFile, RunRequest } from '../../domain/run.ts';
import type { Pages } from '../ports/pages.ts';
import type { World } from '../run/world.ts';
import { findNewFiles, type NewFiles } from './choose-batch.ts';
import { commonPrefix, listEventFiles } from './event-files.ts';
import { type ListedBatch, withFileIndex } from './file-index/file-index.ts';
import { compareFiles, type FileStatus } from './file-index/sorted-pages.ts';
import { GoneFiles } from './gone-files.ts';
import { PassedOverFiles } from './passed-over.ts';
import { checkedAgainst, filesToTakeOut } from './take-out.ts';

/** Where the event files are listed. */
export interface LogPlace {
  /** A folder, a file or a glob. */
  readonly location: string;
  /** Only files whose addresses come after this one. */
  readonly since: string | undefined;
}

export interface ComparedLog {
  readonly found: NewFiles;
  /** Files that the request takes out of the lake. */
  readonly takenOut: readonly HeldFile[];
  readonly gone: GoneFiles;
  /** What is at the place and is no event file. */
  readonly passedOver: PassedOver[];
  /** Rows of all batches in the ledger that became events. */
  readonly historyRows: number;
}

/**
 * Compares the event files of a place with the ledger.
 * @param ledger the batches in the ledger, oldest first
 * @throws InvalidRequest when what is to be taken out is not in the lake, or is still in the log
 */
export function compareLog(
  world: Pick<World, 'lake' | 'eventLog' | 'clock' | 'log'>,
  ledger: readonly ListedBatch[],
  place: LogPlace,
  { takeOut = [] }: Pick<RunRequest, 'takeOut'> = {},
): Promise<ComparedLog> {
  const { location, since } = place;
  return withFileIndex(world, ledger, async (index) => {
    const takenOut = await filesToTakeOut(takeOut, index);
    const gone = new GoneFiles(place, takenOut);
    const passedOver = new PassedOverFiles();
    const listed = checkedAgainst(listEventFiles(world, location, since, passedOver), takenOut);
    const statuses = compareFiles(listed, index.entries(commonPrefix(location)));
    const found = await findNewFiles(seenBy(gone, statuses));
    return { found, takenOut, gone, passedOver: passedOver.listing(), historyRows: index.rows };
  });
}

async function* seenBy(gone: GoneFiles, pages: Pages<FileStatus>): AsyncGenerator<readonly FileStatus[]> {
  for await (const page of pages) {
    for (const status of page) gone.see(status);
    yield page;
  }
}
