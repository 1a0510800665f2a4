/** The plan of a run, assembled from what was decided. Pure functions. */
import { each } from '../../domain/each.ts';
import { LEDGER, modelFolder, PLAN, STEP_ERROR, STEP_RESULT } from '../../domain/lake-objects.ts';
import type { Listing } from '../../domain/listing.ts';
import {
  type Batch,
  type PlanRunOutput,
  type RunPlan,
  type RunRequest,
  STEP_NAMES,
} from '../../domain/run.ts';
import type { RunSize } from '../../domain/sizing.ts';
import type { Deployment } from '../run/deployment.ts';

const HOUR_MILLISECONDS = 3_600_000;

export interface PlanParts {
  readonly runId: string;
  readonly executionArn: string;
  readonly plannedAt: Date;
  readonly request: RunRequest;
  readonly batch: Batch;
  readonly abandonedBatchIds: readonly string[];
  readonly listing: Listing;
  readonly size: RunSize;
}

/** Everything the steps need to know. */
export function buildPlan(parts: PlanParts, deployment: Deployment): RunPlan {
  const { runId, executionArn, plannedAt, request, batch, abandonedBatchIds, listing, size } = parts;
  const { settings, lakeRoot, database, release } = deployment;
  return {
    runId,
    executionArn,
    plannedAt: plannedAt.toISOString(),
    release,
    lakeRoot,
    database,
    batch,
    abandonedBatchIds: [...abandonedBatchIds],
    listing,
    ingest: {
      earliestEventMilliseconds: Date.parse(`${settings.earliestEventDay}T00:00:00Z`),
      latestEventMilliseconds: plannedAt.getTime() + settings.maxClockSkewHours * HOUR_MILLISECONDS,
      maxQuarantineShare: request.maxQuarantineShare ?? settings.maxQuarantineShare,
      strict: request.strict ?? settings.strict,
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
      results: each(STEP_NAMES, (step) => STEP_RESULT[step].of(runId).uriIn(lakeRoot)),
      errors: each(STEP_NAMES, (step) => STEP_ERROR[step].of(runId).uriIn(lakeRoot)),
      ledger: LEDGER.of(batch.batchId).uriIn(lakeRoot),
      model: `${lakeRoot}/${modelFolder(runId)}`,
    },
  };
}

/**
 * The plan of a run that resumes another: the same batch, settings and results, so that steps with a result are
 * skipped. Scoring is done again, because its rows carry the run's id; errors are the new run's own.
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
        'score-users': STEP_RESULT['score-users'].of(runId).uriIn(plan.lakeRoot),
      },
      errors: each(STEP_NAMES, (step) => STEP_ERROR[step].of(runId).uriIn(plan.lakeRoot)),
    },
  };
}

/** The decision to run, as the state machine passes it on. */
export function runDecision(plan: RunPlan): PlanRunOutput {
  return {
    decision: 'run',
    runId: plan.runId,
    planUri: PLAN.of(plan.runId).uriIn(plan.lakeRoot),
    batchId: plan.batch.batchId,
    cluster: plan.cluster,
  };
}
