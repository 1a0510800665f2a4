/** StoreMetrics: compares the lake with the steps' counts, and only if they agree makes the run's results current. */
import { z } from 'zod';
import { chosenEvaluation } from '../../domain/chosen-evaluation.ts';
import { KEYS } from '../../domain/lake.ts';
import { CHAMPION_METRIC } from '../../domain/metrics.ts';
import { expectedCounts } from '../../domain/reconcile.ts';
import { currentSchema, type RunDetail, type RunRecord, runRecordSchema } from '../../domain/records.ts';
import {
  featuresResultSchema,
  ingestResultSchema,
  scoringResultSchema,
  trainingResultSchema,
} from '../../domain/results.ts';
import {
  type RunPlan,
  runPlanSchema,
  type StepName,
  type StoreMetricsInput,
  type StoreMetricsOutput,
  storeMetricsInputSchema,
} from '../../domain/run.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { runCost } from '../run/cost.ts';
import { readDetail } from '../run/detail.ts';
import { endClusters } from '../run/end-clusters.ts';
import { PipelineError } from '../run/errors.ts';
import { finishRun } from '../run/finish-run.ts';
import { findJson, jsonLines, jsonText, lakeUri, readJson } from '../run/json-objects.ts';
import { leaseHolder } from '../run/lease.ts';
import { type ChampionTest, decidePromotion, type Promotion } from './promotion.ts';
import { reconcile } from './reconciliation.ts';
import { summarize } from './success-text.ts';

/**
 * Stores the results of a run. A second call has the same outcome.
 * @throws ReconciliationFailed, InvalidResult; LeaseLost or RunClosed when the run was closed in the meantime
 */
export async function storeMetrics(
  input: unknown,
  ports: Ports,
  context: FunctionContext,
): Promise<StoreMetricsOutput> {
  const run = storeMetricsInputSchema.parse(input);
  // The run's own cluster has been terminated; a retried CreateCluster may have left another.
  await endClusters(run.runId, ports);
  const detail = (await findStored(run, ports, context)) ?? (await store(run, ports, context));
  await finishRun(ports, context, detail);
  return { summary: summarize(detail) };
}

/** What an earlier try stored, if it stored the record. */
async function findStored(
  run: StoreMetricsInput,
  ports: Ports,
  context: FunctionContext,
): Promise<RunDetail | undefined> {
  const recordUri = lakeUri(context.lakeRoot, KEYS.runRecord(run.runId));
  const record = await findJson(ports.objects, recordUri, runRecordSchema);
  if (record === undefined) return undefined;
  if (record.value.status === 'FAILED') throw runClosed(run.runId, record.value);
  return readDetail(run.runId, ports, context);
}

async function store(run: StoreMetricsInput, ports: Ports, context: FunctionContext): Promise<RunDetail> {
  const holder = await leaseHolder(ports, context);
  if (holder?.executionArn !== run.executionArn) {
    const who = holder === undefined ? 'nobody' : `run ${holder.runId}`;
    throw new PipelineError(
      'LeaseLost',
      `Run ${run.runId} no longer holds the lease: ${who} does. Resume the run.`,
    );
  }
  const detail = await assemble(run, ports, context);
  const detailUri = lakeUri(context.lakeRoot, KEYS.runDetail(run.runId));
  await ports.objects.write(detailUri, jsonText(detail), { contentType: 'application/json' });
  const recordUri = lakeUri(context.lakeRoot, KEYS.runRecord(run.runId));
  const outcome = await ports.objects.write(recordUri, jsonLines([detail.record]), {
    condition: { kind: 'absent' },
    contentType: 'application/json',
  });
  if (outcome === 'written') return detail;
  const record = await readJson(ports.objects, recordUri, runRecordSchema, 'run record');
  if (record.status === 'FAILED') throw runClosed(run.runId, record);
  return readDetail(run.runId, ports, context);
}

async function assemble(run: StoreMetricsInput, ports: Ports, context: FunctionContext): Promise<RunDetail> {
  const plan = await readJson(ports.objects, run.planUri, runPlanSchema, 'plan of the run');
  const result = <Result>(step: StepName, schema: z.ZodType<Result>): Promise<Result> =>
    readJson(ports.objects, plan.outputs.results[step], schema, `result of ${step}`);
  const ingest = await result('ingest-events', ingestResultSchema);
  const features = await result('build-features', featuresResultSchema);
  const training = await result('train-models', trainingResultSchema);
  const scoring = await result('score-users', scoringResultSchema);
  const reconciliation = reconcile(
    await ports.sql.results(run.reconcileQueryExecutionId),
    expectedCounts(plan, ingest, features, scoring),
    ingest.counts,
  );
  const promotion = decidePromotion(training, await findChampion(ports, context));
  const record: RunRecord = {
    run_id: run.runId,
    status: 'SUCCEEDED',
    started_at: plan.plannedAt,
    ended_at: ports.clock.now().toISOString(),
    ...counted({ plan, ingest, features, training }, promotion),
    estimated_cost_usd: plan.cluster.estimatedUsd,
    ...(await runCost(await ports.clusters.ofRun(run.runId), ports, context)),
    error: null,
  };
  return { record, plan, ingest, features, training, scoring, reconciliation };
}

function counted(
  { plan, ingest, features, training }: Pick<RunDetail, 'plan' | 'ingest' | 'features' | 'training'>,
  promotion: Promotion,
) {
  return {
    batch_id: plan.batch.batchId,
    rows_read: ingest.counts.read,
    rows_accepted: ingest.counts.accepted,
    rows_quarantined: ingest.counts.quarantined,
    rows_duplicate: ingest.counts.duplicates,
    users: features.users,
    cancellations: features.cancellations,
    model: training.chosen,
    promoted: promotion.promoted,
    promotion_reason: promotion.reason,
  } satisfies Partial<RunRecord> & { readonly batch_id: RunPlan['batch']['batchId'] };
}

/** What is needed of the champion's run; the rest of its detail may have an older shape. */
const championDetailSchema = z.object({ training: trainingResultSchema });

async function findChampion(ports: Ports, context: FunctionContext): Promise<ChampionTest | undefined> {
  const current = await findJson(ports.objects, lakeUri(context.lakeRoot, KEYS.current), currentSchema);
  const champion = current?.value.champion ?? null;
  if (champion === null) return undefined;
  const uri = lakeUri(context.lakeRoot, KEYS.runDetail(champion.runId));
  const detail = await findJson(ports.objects, uri, championDetailSchema);
  const evaluation = detail === undefined ? undefined : chosenEvaluation(detail.value.training);
  return {
    runId: champion.runId,
    testCutoff: champion.testCutoff,
    value: evaluation?.metrics[CHAMPION_METRIC.name]?.value,
  };
}

function runClosed(runId: string, record: RunRecord): PipelineError {
  return new PipelineError(
    'RunClosed',
    `Run ${runId} has already been closed as failed: ${record.error ?? 'no reason given'}`,
  );
}
