/** Which batch a run takes in, or that there is nothing to do. A pure decision. */
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
  /** Already in the lake; the run goes on from there. The day is the ledger's, for want of a better. */
  | { readonly kind: 'ledgered'; readonly batch: Batch }
  | { readonly kind: 'nothing'; readonly reason: string }
  | { readonly kind: 'no files' };

/** New files make a new batch; without any, a run that failed after ingest is taken up, or one is forced. */
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
 * Batches that left rows in the lake without ever being finished: begun, and not in the ledger. The run's own
 * is among them when an earlier try began it. A run whose batch is in the lake already clears nothing away,
 * so it names none, and leaves them to the next that takes files in.
 */
export function abandonedBatches(
  batchId: string,
  pending: readonly string[],
  ledger: readonly Pick<LedgeredBatch, 'batchId'>[],
): readonly string[] {
  const ledgered = new Set(ledger.map((batch) => batch.batchId));
  return ledgered.has(batchId) ? [] : pending.filter((id) => !ledgered.has(id)).sort();
}
