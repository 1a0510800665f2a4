/** Which batch a run ingests, or that there is nothing to do. Pure decisions. */
import { FILES_NAMED, type LeftOut } from '../../domain/listing.ts';
import type { Current } from '../../domain/records.ts';
import { type Batch, type EventFile, MAX_BATCH_FILES } from '../../domain/run.ts';
import type { Pages } from '../ports/pages.ts';
import { batchIdOf } from './event-files.ts';
import type { ListedBatch } from './file-index/file-index.ts';
import type { FileStatus } from './file-index/sorted-pages.ts';

/** The files of a log as a run sees them. */
export interface NewFiles {
  /** All event files that were listed. */
  readonly listed: number;
  /** Files that are new or were replaced, at most as many as a batch takes; in the order of keys. */
  readonly files: readonly EventFile[];
  /** Those beyond: work for the next run. */
  readonly left: LeftOut;
}

/** Counts the files of a log, and takes those that a run ingests: the first of the new ones. */
export async function findNewFiles(statuses: Pages<FileStatus>, limit = MAX_BATCH_FILES): Promise<NewFiles> {
  const files: EventFile[] = [];
  const first: string[] = [];
  let [listed, left] = [0, 0];
  for await (const page of statuses) {
    for (const status of page) {
      if (status.kind === 'gone') continue;
      listed += 1;
      if (status.kind === 'known') continue;
      if (files.length < limit) files.push(status.file);
      else {
        left += 1;
        if (first.length < FILES_NAMED) first.push(status.file.uri);
      }
    }
  }
  return { listed, files, left: { count: left, first } };
}

export interface BatchChoice {
  readonly found: Pick<NewFiles, 'listed' | 'files'>;
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
export function chooseBatch({ found, newest, current, force, today }: BatchChoice): ChosenBatch {
  const { listed, files } = found;
  if (files.length > 0) {
    return { kind: 'new', batch: { batchId: batchIdOf(files), ingestDate: today, files: [...files] } };
  }
  if (newest === undefined) return { kind: 'no files' };
  if (!force && listed === 0) return { kind: 'no files' };
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

/**
 * Batches that were begun and are not in the ledger: they may have left rows in the lake. The run's own batch is among
 * them if an earlier try began it. A run whose batch is in the lake already deletes no rows, so it names none of them
 * and leaves them to the next run that ingests files.
 */
export function abandonedBatches(
  batchId: string,
  pending: readonly string[],
  ledger: readonly { readonly id: string }[],
): readonly string[] {
  const ledgered = new Set(ledger.map(({ id }) => id));
  return ledgered.has(batchId) ? [] : pending.filter((id) => !ledgered.has(id)).sort();
}
