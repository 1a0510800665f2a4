/** What is new in the event log: its listing and the ledger, compared as two streams. */
import type { PassedOver } from '../../domain/listing.ts';
import type { World } from '../run/world.ts';
import { findNewFiles, type NewFiles } from './choose-batch.ts';
import { listEventFiles } from './event-files.ts';
import { type ListedBatch, withFileIndex } from './file-index/file-index.ts';
import { compareFiles } from './file-index/sorted-pages.ts';
import { PassedOverFiles } from './passed-over.ts';

/** Where the event files are listed. */
export interface LogPlace {
  /** A folder, a file or a glob. */
  readonly location: string;
  /** Only files whose addresses come after this one. */
  readonly since: string | undefined;
}

export interface ComparedLog {
  readonly found: NewFiles;
  /** What is at the place and is no event file. */
  readonly passedOver: PassedOver[];
  /** Rows of all batches in the ledger that became events. */
  readonly historyRows: number;
}

/**
 * Compares the event files of a place with the ledger.
 * @param ledger the batches in the ledger, oldest first
 */
export function compareLog(
  world: Pick<World, 'lake' | 'eventLog' | 'clock' | 'log'>,
  ledger: readonly ListedBatch[],
  { location, since }: LogPlace,
): Promise<ComparedLog> {
  return withFileIndex(world, ledger, async (index) => {
    const passedOver = new PassedOverFiles();
    const listed = listEventFiles(world, location, since, passedOver);
    const found = await findNewFiles(compareFiles(listed, index.entries(commonPrefix(location))));
    return { found, passedOver: passedOver.listing(), historyRows: index.rows };
  });
}

/** With what the address of everything at a location begins. Paths of this machine may be written in several ways. */
function commonPrefix(location: string): string {
  return location.startsWith('s3://') ? location.replace(/([*?[{].*|\/+)$/s, '') : '';
}
