/** The plan of a run, assembled from what was decided. Pure functions. */
import { each } from '../../domain/each.ts';
import { KEYS } from '../../domain/lake.ts';
import {
  type Batch,
  type PlanRunOutput,
  type RunPlan,
  type RunRequest,
  STEP_NAMES,
} from '../../domain/run.ts';
import type { RunSize } from '../../domain/sizing.ts';
import type { FunctionContext } from '../run/context.ts';
import { lakeUri } from '../run/json-objects.ts';

const HOUR_MILLISECONDS = 3_600_000;

export interface PlanParts {
  readonly runId: string;
  readonly executionArn: string;
  readonly plannedAt: Date;
  readonly request: RunRequest;
  readonly batch: Batch;
  readonly abandonedBatchIds: readonly string[];
  readonly size: RunSize;
}

/** Everything the steps need to know. */
export function buildPlan(parts: PlanParts, context: FunctionContext): RunPlan {
  const { runId, executionArn, plannedAt, request, batch, abandonedBatchIds, size } = parts;
  const { settings, lakeRoot } = context;
  return {
    runId,
    executionArn,
    plannedAt: plannedAt.toISOString(),
    lakeRoot,
    batch,
    abandonedBatchIds: [...abandonedBatchIds],
    ingest: {
      earliestEventMilliseconds: Date.parse(`${settings.earliestEventDay}T00:00:00Z`),
      latestEventMilliseconds: plannedAt.getTime() + settings.maxClockSkewHours * HOUR_MILLISECONDS,
      maxQuarantineShare: request.maxQuarantineShare ?? settings.maxQuarantineShare,
      shufflePartitions: size.shufflePartitions,
      slicesPerDay: size.slicesPerDay,
    },
    training: {
      horizonDays: request.horizonDays ?? settings.horizonDays,
      minHistoryDays: settings.minHistoryDays,
      cutoffStepDays: settings.cutoffStepDays,
      maxCutoffs: settings.maxCutoffs,
      minDailyShare: settings.minDailyShare,
      observationEnd: request.observationEnd ?? null,
      minCancellations: settings.minCancellations,
      folds: settings.folds,
      seed: request.seed ?? settings.seed,
      boostingWorkers: size.boostingWorkers,
    },
    scoring: { controlGroupShare: settings.controlGroupShare, controlGroupSalt: settings.controlGroupSalt },
    cluster: size.cluster,
    outputs: {
      results: each(STEP_NAMES, (step) => lakeUri(lakeRoot, KEYS.result(runId, step))),
      errors: each(STEP_NAMES, (step) => lakeUri(lakeRoot, KEYS.error(runId, step))),
      ledger: lakeUri(lakeRoot, KEYS.ledger(batch.batchId)),
      model: lakeUri(lakeRoot, KEYS.model(runId)),
    },
  };
}

/**
 * The plan of a run that takes up another's: the same batch, settings and results, so that steps whose results
 * stand are skipped. Scoring is done again, because its rows carry the run's id; errors are the new run's own.
 */
export function resumedPlan(
  plan: RunPlan,
  run: { readonly runId: string; readonly executionArn: string; readonly plannedAt: Date },
  abandonedBatchIds: readonly string[],
): RunPlan {
  const { runId, executionArn, plannedAt } = run;
  return {
    ...plan,
    runId,
    executionArn,
    plannedAt: plannedAt.toISOString(),
    abandonedBatchIds: [...abandonedBatchIds],
    outputs: {
      ...plan.outputs,
      results: {
        ...plan.outputs.results,
        'score-users': lakeUri(plan.lakeRoot, KEYS.result(runId, 'score-users')),
      },
      errors: each(STEP_NAMES, (step) => lakeUri(plan.lakeRoot, KEYS.error(runId, step))),
    },
  };
}

/** The decision to run, as the state machine carries it on. */
export function runDecision(plan: RunPlan): PlanRunOutput {
  return {
    decision: 'run',
    runId: plan.runId,
    planUri: lakeUri(plan.lakeRoot, KEYS.plan(plan.runId)),
    batchId: plan.batch.batchId,
    cluster: plan.cluster,
  };
}
