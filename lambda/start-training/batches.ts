/** The batches that the lake knows: those in the ledger, and those that were begun. */
import { z } from 'zod';
import { KEYS } from '../../domain/lake.ts';
import { type Batch, batchSchema, type EventFile } from '../../domain/run.ts';
import type { Ports, StoredObject } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { PipelineError } from '../run/errors.ts';
import { findJson, jsonText, lakeUri } from '../run/json-objects.ts';

const ledgerLineSchema = z.object({ uri: z.string(), etag: z.string(), bytes: z.number() });
const PARALLEL_READS = 16;

/** A batch that is wholly in the lake. */
export interface LedgeredBatch {
  readonly batchId: string;
  readonly files: readonly EventFile[];
  readonly ledgeredAt: Date;
}

/** Every batch in the ledger, oldest first. */
export async function readLedger(ports: Ports, context: FunctionContext): Promise<readonly LedgeredBatch[]> {
  const objects = jsonObjects(await ports.objects.list(lakeUri(context.lakeRoot, KEYS.ledgerFolder)));
  const batches: LedgeredBatch[] = [];
  for (let start = 0; start < objects.length; start += PARALLEL_READS) {
    const slice = objects.slice(start, start + PARALLEL_READS);
    batches.push(...(await Promise.all(slice.map((object) => readLedgeredBatch(ports, object)))));
  }
  return batches.sort((a, b) => a.ledgeredAt.getTime() - b.ledgeredAt.getTime());
}

/** Ids of the batches that were begun, whether or not they came into the ledger. */
export async function pendingBatchIds(ports: Ports, context: FunctionContext): Promise<readonly string[]> {
  const objects = jsonObjects(await ports.objects.list(lakeUri(context.lakeRoot, KEYS.pendingFolder)));
  return objects.map(batchIdOfObject);
}

/** The marker of a batch that was begun; undefined when there is none. */
export async function readPending(
  ports: Ports,
  context: FunctionContext,
  batchId: string,
): Promise<Batch | undefined> {
  return (await findJson(ports.objects, pendingUri(context, batchId), batchSchema))?.value;
}

/** Marks a batch as begun. One that was begun before keeps the day on which that was. */
export async function markPending(ports: Ports, context: FunctionContext, batch: Batch): Promise<Batch> {
  const outcome = await ports.objects.write(pendingUri(context, batch.batchId), jsonText(batch), {
    condition: { kind: 'absent' },
    contentType: 'application/json',
  });
  if (outcome === 'written') return batch;
  return (await readPending(ports, context, batch.batchId)) ?? batch;
}

async function readLedgeredBatch(ports: Ports, object: StoredObject): Promise<LedgeredBatch> {
  const text = (await ports.objects.read(object.uri))?.text ?? '';
  const files = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => parseLedgerLine(line, object.uri));
  return { batchId: batchIdOfObject(object), files, ledgeredAt: object.modifiedAt };
}

function parseLedgerLine(line: string, uri: string): EventFile {
  try {
    const { uri: file, etag, bytes } = ledgerLineSchema.parse(JSON.parse(line));
    return { uri: file, etag, bytes };
  } catch {
    throw new PipelineError(
      'InvalidResult',
      `The ledger ${uri} has a line that is not one of its rows: ${line.slice(0, 120)}. Restore the object.`,
    );
  }
}

/** Drafts and marker files of writers are passed over. */
function jsonObjects(objects: readonly StoredObject[]): readonly StoredObject[] {
  return objects.filter(({ uri }) => /\/[^./][^/]*\.json$/.test(uri));
}

function batchIdOfObject({ uri }: StoredObject): string {
  return uri.slice(uri.lastIndexOf('/') + 1, -'.json'.length);
}

function pendingUri(context: FunctionContext, batchId: string): string {
  return lakeUri(context.lakeRoot, KEYS.pendingBatch(batchId));
}
