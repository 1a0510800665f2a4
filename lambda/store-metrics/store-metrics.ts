/** StoreMetrics: compares the lake with the steps' counts, and only if they agree makes the run's results current. */
import { type Choice, choiceText } from '../../domain/choice.ts';
import {
  CHOICE,
  PLAN,
  RUN_DETAIL,
  RUN_RECORD,
  STEP_RESULT,
  TRAINING_DECISION,
} from '../../domain/lake-objects.ts';
import { expectedCounts } from '../../domain/reconcile.ts';
import type { RunDetail, RunRecord, StateCost } from '../../domain/records.ts';
import {
  type RunPlan,
  type StoreMetricsInput,
  type StoreMetricsOutput,
  storeMetricsInputSchema,
} from '../../domain/run.ts';
import { scoringModel } from '../../domain/scoring-evaluation.ts';
import { usdDuring } from '../../domain/state-costs.ts';
import { type CostByInstance, costByInstance } from '../run/cost.ts';
import { requireUnchanged } from '../run/current.ts';
import { PipelineError } from '../run/errors.ts';
import { finishRun } from '../run/finish-run.ts';
import type { Lake } from '../run/lake.ts';
import { requireLease } from '../run/lease.ts';
import { readOutcomes } from '../run/outcomes.ts';
import { terminateClusters } from '../run/terminate-clusters.ts';
import type { World } from '../run/world.ts';
import { reconcile } from './reconciliation.ts';
import { summarize } from './success-text.ts';

/**
 * Stores the results of a run. A second call has the same outcome.
 * @throws ReconciliationFailed, ChampionChanged, InvalidResult; LeaseLost or RunClosed when the run was closed in the meantime
 */
export async function storeMetrics(input: unknown, world: World): Promise<StoreMetricsOutput> {
  const run = storeMetricsInputSchema.parse(input);
  // The run's own cluster has terminated; a retried CreateCluster may have left another.
  await terminateClusters(world, run.runId);
  const detail = (await findStored(world.lake, run.runId)) ?? (await store(world, run));
  await finishRun(world, detail);
  return { summary: summarize(detail) };
}

/** What an earlier try stored, if it stored the record. */
async function findStored(lake: Lake, runId: string): Promise<RunDetail | undefined> {
  const record = await lake.find(RUN_RECORD.of(runId));
  if (record === undefined) return undefined;
  if (record.value.status === 'FAILED') throw runClosed(runId, record.value);
  return lake.read(RUN_DETAIL.of(runId));
}

async function store(world: World, run: StoreMetricsInput): Promise<RunDetail> {
  const { lake } = world;
  const { runId } = run;
  await requireLease(lake, run);
  const detail = await assemble(world, run);
  await lake.write(RUN_DETAIL.of(runId), detail);
  if ((await lake.create(RUN_RECORD.of(runId), detail.record)) === 'written') return detail;
  const record = await lake.read(RUN_RECORD.of(runId));
  if (record.status === 'FAILED') throw runClosed(runId, record);
  return lake.read(RUN_DETAIL.of(runId));
}

async function assemble(world: World, run: StoreMetricsInput): Promise<RunDetail> {
  const { lake, sql, clusters, clock } = world;
  const plan = await lake.read(PLAN.at(run.planUri));
  await requireUnchanged(lake, plan);
  const { results, trainingDecision: decisionUri } = plan.outputs;
  const ingest = await lake.read(STEP_RESULT['ingest-events'].at(results['ingest-events']));
  const features = await lake.read(STEP_RESULT['build-features'].at(results['build-features']));
  const trainingDecision =
    decisionUri === undefined ? undefined : await lake.read(TRAINING_DECISION.at(decisionUri));
  const training =
    trainingDecision?.decision === 'skip'
      ? null
      : await lake.read(STEP_RESULT['train-models'].at(results['train-models']));
  const scoring = await lake.read(STEP_RESULT['score-users'].at(results['score-users']));
  const reconciliation = reconcile(
    await sql.results(run.reconcileQueryExecutionId),
    expectedCounts(plan, ingest, features, scoring),
    ingest.counts,
    ingest.changes,
  );
  const choice = await lake.read(CHOICE.of(run.runId));
  const cost = await costByInstance(world, await clusters.ofRun(run.runId));
  const record: RunRecord = {
    run_id: run.runId,
    status: 'SUCCEEDED',
    started_at: plan.plannedAt,
    ended_at: clock.now().toISOString(),
    ...counted({ plan, ingest, features, training, choice }),
    estimated_cost_usd: plan.cluster.estimatedUsd,
    ...cost.total,
    error: null,
  };
  const decided = trainingDecision === undefined ? {} : { trainingDecision };
  const outcomes = await readOutcomes(lake, { plan, scoring });
  const states = await statesOf(world, run.executionArn, cost);
  return {
    ...{ record, plan, ingest, features, training, ...decided, choice, scoring, outcomes },
    ...(states === undefined ? {} : { states }),
    reconciliation,
  };
}

/** The states that have ended; undefined when their times could not be read: no run fails for that. */
async function statesOf(
  { executions, log }: World,
  executionArn: string,
  { instances }: CostByInstance,
): Promise<StateCost[] | undefined> {
  try {
    return (await executions.visits(executionArn)).flatMap(({ state, from, to }) =>
      to === null
        ? []
        : [
            {
              name: state,
              seconds: (to.getTime() - from.getTime()) / 1_000,
              usd: instances === null ? null : usdDuring({ from, to }, instances),
            },
          ],
    );
  } catch (error) {
    log.warn(`the times of the states could not be read, so the report has none: ${String(error)}`);
    return undefined;
  }
}

function counted(
  of: Pick<RunDetail, 'plan' | 'ingest' | 'features' | 'training'> & { readonly choice: Choice },
) {
  const { plan, ingest, features, training, choice } = of;
  return {
    batch_id: plan.batch.batchId,
    rows_read: ingest.counts.read,
    rows_accepted: ingest.counts.accepted,
    rows_quarantined: ingest.counts.quarantined,
    rows_duplicate: ingest.counts.duplicates,
    users: features.users,
    cancellations: features.cancellations,
    model: scoringModel({ training, choice }),
    promoted: choice.challengerScores && choice.makesCurrent,
    promotion_reason: choiceText(choice),
  } satisfies Partial<RunRecord> & { readonly batch_id: RunPlan['batch']['batchId'] };
}

function runClosed(runId: string, record: RunRecord): PipelineError {
  return new PipelineError(
    'RunClosed',
    `Run ${runId} has already been closed as failed: ${record.error ?? 'no reason given'}`,
  );
}
