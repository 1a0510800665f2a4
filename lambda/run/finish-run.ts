/**
 * What remains once the record of a run says SUCCEEDED: the record is the moment at which the run counts, all
 * below follows from it and can be done again. StoreMetrics does it; close-run does, should StoreMetrics die.
 */
import { KEYS } from '../../domain/lake.ts';
import { type Current, currentSchema, type RunDetail } from '../../domain/records.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from './context.ts';
import { PipelineError } from './errors.ts';
import { findJson, jsonLines, jsonText, lakeUri } from './json-objects.ts';
import { leaseHolder, releaseLease } from './lease.ts';
import { metricRows } from './metric-rows.ts';

/** Makes metrics, scores and model current, forgets the batch's markers, and gives the lease back, last. */
export async function finishRun(ports: Ports, context: FunctionContext, detail: RunDetail): Promise<void> {
  const { runId, executionArn, batch, abandonedBatchIds } = detail.plan;
  // The lease is given back last: without it, all of this has been done, and another run may be at work.
  if ((await leaseHolder(ports, context))?.executionArn !== executionArn) return;
  const address = (key: string): string => lakeUri(context.lakeRoot, key);
  await ports.objects.write(address(KEYS.metrics(runId)), jsonLines(metricRows(detail)), {
    contentType: 'application/json',
  });
  await makeCurrent(ports, address(KEYS.current), detail);
  for (const batchId of [batch.batchId, ...abandonedBatchIds]) {
    await ports.objects.remove(address(KEYS.pendingBatch(batchId)));
  }
  await releaseLease(ports, context, executionArn);
}

async function makeCurrent(ports: Ports, uri: string, detail: RunDetail): Promise<void> {
  const before = await findJson(ports.objects, uri, currentSchema);
  if (before?.value.runId === detail.plan.runId) return;
  const outcome = await ports.objects.write(uri, jsonText(currentAfter(detail, before?.value)), {
    condition: before === undefined ? { kind: 'absent' } : { kind: 'unchanged', etag: before.etag },
    contentType: 'application/json',
  });
  if (outcome === 'conflict') {
    throw new PipelineError(
      'LeaseLost',
      `${uri} changed while run ${detail.plan.runId} held the lease. Find out who wrote it, then resume the run.`,
    );
  }
}

function currentAfter({ plan, record, training }: RunDetail, before: Current | undefined): Current {
  const promoted = {
    runId: plan.runId,
    modelUri: training.modelUri,
    testCutoff: training.testCutoff,
    promotedAt: record.ended_at,
  };
  return {
    runId: plan.runId,
    batchId: plan.batch.batchId,
    champion: record.promoted === true ? promoted : (before?.champion ?? null),
  };
}
