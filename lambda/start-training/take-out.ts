/** The files that a request takes out of the lake. */
import { type EventFile, type HeldFile, MAX_BATCH_FILES } from '../../domain/run.ts';
import type { Pages } from '../ports/pages.ts';
import { PipelineError } from '../run/errors.ts';
import { held } from './choose-batch.ts';
import { commonPrefix, isAt } from './event-files.ts';
import type { FileIndex } from './file-index/file-index.ts';

/** What can be asked of the index, for a test without one. */
type Entries = Pick<FileIndex, 'entries'>;

/**
 * The files in the lake whose addresses are named or matched; those that were taken out before are not among them.
 * @throws InvalidRequest when an address or a glob matches nothing in the lake, or all match more than a run takes
 */
export async function filesToTakeOut(
  takeOut: string | readonly string[],
  index: Entries,
): Promise<readonly HeldFile[]> {
  const files = new Map<string, HeldFile>();
  for (const place of typeof takeOut === 'string' ? [takeOut] : takeOut) {
    let matched = 0;
    for await (const page of index.entries(commonPrefix(place))) {
      for (const entry of page) {
        if (entry.takenOut === true || !isAt(entry.uri, place)) continue;
        matched += 1;
        files.set(entry.uri, held(entry));
      }
    }
    if (matched === 0)
      throw refused(`the lake holds nothing of ${place}; addresses are as in ingest_files.uri`);
  }
  if (files.size > MAX_BATCH_FILES) {
    const most = MAX_BATCH_FILES.toLocaleString('en');
    throw refused(
      `${files.size.toLocaleString('en')} files match, and a run takes out ${most} at most: use several runs`,
    );
  }
  return [...files.values()];
}

/**
 * Passes the listing on.
 * @throws InvalidRequest when a file that is to be taken out is still in the log: the next run would ingest it again
 */
export async function* checkedAgainst(
  listing: Pages<EventFile>,
  takenOut: readonly HeldFile[],
): AsyncGenerator<readonly EventFile[]> {
  const uris = new Set(takenOut.map(({ uri }) => uri));
  for await (const page of listing) {
    const still = page.find(({ uri }) => uris.has(uri));
    if (still !== undefined) {
      throw refused(
        `${still.uri} is still in the log, and the next run would ingest it again: remove it there first`,
      );
    }
    yield page;
  }
}

function refused(why: string): PipelineError {
  return new PipelineError('InvalidRequest', `The run's request cannot be carried out:\n- "takeOut": ${why}`);
}
