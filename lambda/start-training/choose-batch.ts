/** Which batch a run ingests, or that there is nothing to do. A pure decision. */
import type { Current } from '../../domain/records.ts';
import type { Batch, EventFile } from '../../domain/run.ts';
import type { LedgeredBatch } from './batches.ts';
import { batchIdOf, newFiles } from './event-files.ts';

export interface BatchChoice {
  readonly listed: readonly EventFile[];
  /** Oldest first. */
  readonly ledger: readonly LedgeredBatch[];
  readonly current: Current | undefined;
  readonly force: boolean;
  /** UTC day of the plan. */
  readonly today: string;
}

export type ChosenBatch =
  | { readonly kind: 'new'; readonly batch: Batch }
  /** Already in the lake: the run continues from there. The day is the ledger's, for lack of a better one. */
  | { readonly kind: 'ledgered'; readonly batch: Batch }
  | { readonly kind: 'nothing'; readonly reason: string }
  | { readonly kind: 'no files' };

/** New files make a new batch; without any, the batch of a run that failed after ingest, or a forced run. */
export function chooseBatch({ listed, ledger, current, force, today }: BatchChoice): ChosenBatch {
  const files = newFiles(
    listed,
    ledger.flatMap((batch) => batch.files),
  );
  if (files.length > 0) {
    return { kind: 'new', batch: { batchId: batchIdOf(files), ingestDate: today, files: [...files] } };
  }
  const newest = ledger.at(-1);
  if (newest === undefined) return { kind: 'no files' };
  if (!force && listed.length === 0) return { kind: 'no files' };
  if (!force && newest.batchId === current?.batchId) {
    const count = listed.length === 1 ? 'the one event file is' : `all ${listed.length} event files are`;
    return {
      kind: 'nothing',
      reason: `${count} in the lake already, and run ${current.runId} was made from them; {"force": true} runs anyway`,
    };
  }
  return {
    kind: 'ledgered',
    batch: {
      batchId: newest.batchId,
      ingestDate: newest.ledgeredAt.toISOString().slice(0, 10),
      files: [...newest.files],
    },
  };
}

/**
 * Batches that were begun and are not in the ledger: they may have left rows in the lake. The run's own batch is among
 * them if an earlier try began it. A run whose batch is in the lake already deletes no rows, so it names none of them
 * and leaves them to the next run that ingests files.
 */
export function abandonedBatches(
  batchId: string,
  pending: readonly string[],
  ledger: readonly Pick<LedgeredBatch, 'batchId'>[],
): readonly string[] {
  const ledgered = new Set(ledger.map((batch) => batch.batchId));
  return ledgered.has(batchId) ? [] : pending.filter((id) => !ledgered.has(id)).sort();
}
