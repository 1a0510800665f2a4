/** The batches that the lake knows: those in the ledger, and those that were begun. */
import { LEDGER, PENDING_BATCH } from '../../domain/lake-objects.ts';
import type { Batch, EventFile } from '../../domain/run.ts';
import type { Lake } from '../run/lake.ts';
import type { ListedBatch } from './file-index/file-index.ts';

/** The batches in the ledger, oldest first; their files are not read. */
export async function listLedger(lake: Lake): Promise<readonly ListedBatch[]> {
  const listed = await lake.list(LEDGER);
  return [...listed].sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime());
}

/** The files of a batch in the ledger. */
export async function filesOf(lake: Lake, { object }: Pick<ListedBatch, 'object'>): Promise<EventFile[]> {
  const rows = (await lake.find(object))?.value ?? [];
  return rows.filter((row) => !row.taken_out).map(({ uri, etag, bytes }) => ({ uri, etag, bytes }));
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
