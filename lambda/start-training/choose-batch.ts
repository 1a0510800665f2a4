/** Which batch a run ingests, or that there is nothing to do. Pure decisions. */
import { FILES_NAMED, type LeftOut } from '../../domain/listing.ts';
import type { Current } from '../../domain/records.ts';
import { type Batch, type EventFile, type HeldFile, MAX_BATCH_FILES } from '../../domain/run.ts';
import type { Pages } from '../ports/pages.ts';
import { batchIdOf } from './batch-id.ts';
import type { ListedBatch } from './file-index/file-index.ts';
import type { FileStatus } from './file-index/sorted-pages.ts';

/** The files of a log as a run sees them. */
export interface NewFiles {
  /** All event files that were listed. */
  readonly listed: number;
  /** Files that are new or were replaced, at most as many as a batch takes; in the order of keys. */
  readonly files: readonly EventFile[];
  /** The versions that the lake holds of those that were replaced. */
  readonly replaced: readonly HeldFile[];
  /** Those beyond: work for the next run. */
  readonly left: LeftOut;
}

/** One task reads a file that is compressed with gzip: above this size it takes so long that it is worth knowing. */
const LARGE_GZIP_BYTES = 1_000_000_000;

/** Files that one task must read, and that are large. */
export function largeGzipFiles(files: readonly EventFile[]): LeftOut {
  const large = files.filter(
    ({ uri, bytes }) => uri.toLowerCase().endsWith('.gz') && bytes > LARGE_GZIP_BYTES,
  );
  return { count: large.length, first: large.slice(0, FILES_NAMED).map(({ uri }) => uri) };
}

/** Counts the files of a log, and takes those that a run ingests: the first of the new ones. */
export async function findNewFiles(statuses: Pages<FileStatus>, limit = MAX_BATCH_FILES): Promise<NewFiles> {
  const files: EventFile[] = [];
  const replaced: HeldFile[] = [];
  const first: string[] = [];
  let [listed, left] = [0, 0];
  for await (const page of statuses) {
    for (const status of page) {
      if (status.kind === 'gone') continue;
      listed += 1;
      if (status.kind === 'known') continue;
      if (files.length < limit) {
        files.push(status.file);
        if (status.kind === 'changed') replaced.push(held(status.entry));
      } else {
        left += 1;
        if (first.length < FILES_NAMED) first.push(status.file.uri);
      }
    }
  }
  return { listed, files, replaced, left: { count: left, first } };
}

/** What a plan says of a version that the lake holds. */
export function held({ uri, batchId }: HeldFile): HeldFile {
  return { uri, batchId };
}

export interface BatchChoice {
  readonly found: Pick<NewFiles, 'listed' | 'files' | 'replaced'>;
  /** What the request takes out of the lake. */
  readonly takenOut: readonly HeldFile[];
  /** Whether a batch was begun that is not in the ledger: it may be published already, and is finished by any ingest. */
  readonly hasUnfinished: boolean;
  /** The batch that was ledgered last. */
  readonly newest: ListedBatch | undefined;
  readonly current: Current | undefined;
  readonly force: boolean;
  /** UTC day of the plan. */
  readonly today: string;
}

export type ChosenBatch =
  | { readonly kind: 'new'; readonly batch: Batch }
  /** The newest batch is in the lake already: the run continues from there. */
  | { readonly kind: 'ledgered'; readonly newest: ListedBatch }
  /** Nothing is new, but another model is in charge than the one that made the current scores. */
  | { readonly kind: 'score'; readonly newest: ListedBatch; readonly current: Current }
  | { readonly kind: 'nothing'; readonly reason: string }
  | { readonly kind: 'no files' };

/** New files make a new batch; without any, the batch of a run that failed after ingest, or a forced run. */
export function chooseBatch(choice: BatchChoice): ChosenBatch {
  const { found, takenOut, hasUnfinished, newest, current, force, today } = choice;
  const { listed, files, replaced } = found;
  // An empty place is most likely the wrong one: a batch that was left unfinished waits for the next run.
  if (listed === 0 && takenOut.length === 0 && !force) return { kind: 'no files' };
  if (files.length > 0 || takenOut.length > 0 || hasUnfinished) {
    const batch: Batch = {
      batchId: batchIdOf({ files, takenOut, previous: newest?.id }),
      ingestDate: today,
      files: [...files],
      replaced: [...replaced],
      takenOut: [...takenOut],
    };
    return { kind: 'new', batch };
  }
  if (newest === undefined) return { kind: 'no files' };
  if (!force && newest.id === current?.batchId) {
    if (scoresAreOfAnother(current)) return { kind: 'score', newest, current };
    const count = listed === 1 ? 'the one event file is' : `all ${listed} event files are`;
    return {
      kind: 'nothing',
      reason: `${count} in the lake already, and run ${current.runId} was made from them; {"force": true} runs anyway`,
    };
  }
  return { kind: 'ledgered', newest };
}

/** Older versions did not say who was in charge of the scores: they are left alone. */
function scoresAreOfAnother({ champion, scoredUnder }: Current): boolean {
  return champion !== null && scoredUnder !== undefined && champion.runId !== scoredUnder;
}

/** An object of the lake that is named by a batch. */
interface OfBatch {
  readonly id: string;
  readonly modifiedAt: Date;
}

/**
 * Batches that were begun and are not in the ledger. Every ingest finishes those before it that were published, and
 * removes what the others left: a batch that was begun before another one was ledgered is settled.
 */
export function unfinishedBatches(
  pending: readonly OfBatch[],
  ledger: readonly OfBatch[],
): readonly string[] {
  const ledgered = new Set(ledger.map(({ id }) => id));
  const newest = Math.max(...ledger.map(({ modifiedAt }) => modifiedAt.getTime()), 0);
  return pending
    .filter(({ id, modifiedAt }) => !ledgered.has(id) && modifiedAt.getTime() >= newest)
    .map(({ id }) => id)
    .sort();
}

/**
 * The unfinished batches that a run's ingest settles. Its own batch is among them if an earlier attempt began it. A run
 * whose batch is in the lake already ingests nothing, so it names none of them and leaves them to the next run that does.
 */
export function abandonedBatches(
  batchId: string,
  pending: readonly OfBatch[],
  ledger: readonly OfBatch[],
): readonly string[] {
  return ledger.some(({ id }) => id === batchId) ? [] : unfinishedBatches(pending, ledger);
}
