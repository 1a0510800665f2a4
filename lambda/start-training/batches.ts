/** The batches that the lake knows: those in the ledger, and those that were begun. */
import { LEDGER, PENDING_BATCH } from '../../domain/lake-objects.ts';
import type { Batch, EventFile } from '../../domain/run.ts';
import type { Lake, Listed } from '../run/lake.ts';

const PARALLEL_READS = 16;

/** A batch that is complete in the lake. */
export interface LedgeredBatch {
  readonly batchId: string;
  readonly files: readonly EventFile[];
  readonly ledgeredAt: Date;
}

/** Every batch in the ledger, oldest first. */
export async function readLedger(lake: Lake): Promise<readonly LedgeredBatch[]> {
  const listed = await lake.list(LEDGER);
  const batches: LedgeredBatch[] = [];
  for (let start = 0; start < listed.length; start += PARALLEL_READS) {
    const slice = listed.slice(start, start + PARALLEL_READS);
    batches.push(...(await Promise.all(slice.map((each) => readLedgeredBatch(lake, each)))));
  }
  return batches.sort((a, b) => a.ledgeredAt.getTime() - b.ledgeredAt.getTime());
}

/** Ids of the batches that were begun, whether or not they are in the ledger. */
export async function pendingBatchIds(lake: Lake): Promise<readonly string[]> {
  return (await lake.list(PENDING_BATCH)).map(({ id }) => id);
}

/** The marker of a batch that was begun; undefined when there is none. */
export async function readPending(lake: Lake, batchId: string): Promise<Batch | undefined> {
  return (await lake.find(PENDING_BATCH.of(batchId)))?.value;
}

/** Marks a batch as begun. A batch that was begun before keeps its first day. */
export async function markPending(lake: Lake, batch: Batch): Promise<Batch> {
  const outcome = await lake.create(PENDING_BATCH.of(batch.batchId), batch);
  if (outcome === 'written') return batch;
  return (await readPending(lake, batch.batchId)) ?? batch;
}

async function readLedgeredBatch(
  lake: Lake,
  { id, object, modifiedAt }: Listed<readonly EventFile[]>,
): Promise<LedgeredBatch> {
  return { batchId: id, files: (await lake.find(object))?.value ?? [], ledgeredAt: modifiedAt };
}
