/** The plan of a run, assembled from what was decided. Pure functions. */
import { each } from '../../domain/each.ts';
import {
  CAMPAIGN,
  CHOICE,
  LEDGER,
  modelFolder,
  PLAN,
  STEP_ERROR,
  STEP_RESULT,
  TRAINING_DECISION,
} from '../../domain/lake-objects.ts';
import type { Listing } from '../../domain/listing.ts';
import type { Current } from '../../domain/records.ts';
import {
  type Batch,
  type PlanRunOutput,
  type RunPlan,
  type RunRequest,
  type RunSettings,
  STEP_NAMES,
} from '../../domain/run.ts';
import type { RunSize } from '../../domain/sizing.ts';
import type { Deployment } from '../run/deployment.ts';
import type { Stored } from '../run/lake.ts';
import { trainSettings } from './train-settings.ts';

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
  /** Where the lake keeps its grid of cutoffs; null before the first success. */
  readonly cutoffAnchor: string | null;
  /** Runs that have had their time. */
  readonly expiredRuns: readonly string[];
  /** What is current, with its entity tag; undefined before the first success. */
  readonly current: Stored<Current> | undefined;
}

/** Everything the steps need to know. */
export function buildPlan(parts: PlanParts, deployment: Deployment): RunPlan {
  const { runId, executionArn, plannedAt, request, batch, abandonedBatchIds, listing, size, current } = parts;
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
      cutoffAnchor: settings.cutoffAnchor ?? parts.cutoffAnchor,
      maxCutoffs: settings.maxCutoffs,
      minDailyShare: settings.minDailyShare,
      observationEnd: request.observationEnd ?? null,
      minCancellations: settings.minCancellations,
      folds: settings.folds,
      seed: request.seed ?? settings.seed,
      boostingWorkers: size.boostingWorkers,
      excludedFeatures: settings.excludedFeatures,
      retrospective:
        settings.retrospective === 'always' ||
        (settings.retrospective === 'first-run' && current === undefined),
    },
    ...inCharge(current, settings),
    train: trainSettings(request, deployment),
    scoring: {
      controlGroupShare: settings.controlGroupShare,
      controlGroupSalt: settings.controlGroupSalt,
      terms: settings.terms,
      campaignDays: settings.campaignDays,
    },
    expiredRuns: [...parts.expiredRuns],
    cluster: size.cluster,
    outputs: {
      results: each(STEP_NAMES, (step) => STEP_RESULT[step].of(runId).uriIn(lakeRoot)),
      errors: each(STEP_NAMES, (step) => STEP_ERROR[step].of(runId).uriIn(lakeRoot)),
      ledger: LEDGER.of(batch.batchId).uriIn(lakeRoot),
      model: `${lakeRoot}/${modelFolder(runId)}`,
      choice: CHOICE.of(runId).uriIn(lakeRoot),
      campaign: CAMPAIGN.of(runId).uriIn(lakeRoot),
      trainingDecision: TRAINING_DECISION.of(runId).uriIn(lakeRoot),
    },
  };
}

/**
 * The plan of a run that resumes another: the same batch, settings and results, so that steps with a result are
 * skipped. Scoring is done again, because its rows carry the run's id; errors are the new run's own. What has had its
 * time goes with the next new plan: meanwhile another model may be in charge.
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
    expiredRuns: [],
    outputs: {
      ...plan.outputs,
      results: {
        ...plan.outputs.results,
        'score-users': STEP_RESULT['score-users'].of(runId).uriIn(plan.lakeRoot),
      },
      errors: each(STEP_NAMES, (step) => STEP_ERROR[step].of(runId).uriIn(plan.lakeRoot)),
      choice: CHOICE.of(runId).uriIn(plan.lakeRoot),
      campaign: CAMPAIGN.of(runId).uriIn(plan.lakeRoot),
    },
  };
}

/**
 * The plan of a run that only scores, with the model in charge: the batch, features and settings of the current run, whose
 * plan is given. Nothing is trained.
 */
export function rescoringPlan(
  plan: RunPlan,
  run: { readonly runId: string; readonly executionArn: string; readonly plannedAt: Date },
  current: Stored<Current>,
  settings: RunSettings,
): RunPlan {
  const resumed = resumedPlan(plan, run, []);
  return {
    ...resumed,
    ...inCharge(current, settings),
    train: { ...plan.train, mode: 'never', askedBy: 'rescoring' },
    outputs: withOwnTraining(resumed),
  };
}

/**
 * The plan of a run that only trains a model again: as the run did whose plan is given, from the snapshots that its
 * BuildFeatures names. Whatever is written is the new run's own.
 */
export function verifyingPlan(
  plan: RunPlan,
  run: { readonly runId: string; readonly executionArn: string; readonly plannedAt: Date },
): RunPlan {
  const resumed = resumedPlan(plan, run, []);
  return {
    ...resumed,
    verifies: plan.runId,
    outputs: withOwnTraining(resumed),
  };
}

/** The outputs of a plan, with the run's own model, training decision and training result. */
function withOwnTraining({ runId, lakeRoot, outputs }: RunPlan): RunPlan['outputs'] {
  return {
    ...outputs,
    model: `${lakeRoot}/${modelFolder(runId)}`,
    trainingDecision: TRAINING_DECISION.of(runId).uriIn(lakeRoot),
    results: {
      ...outputs.results,
      'train-models': STEP_RESULT['train-models'].of(runId).uriIn(lakeRoot),
    },
  };
}

/** Which model is in charge, and how the next one is decided on. */
function inCharge(
  current: Stored<Current> | undefined,
  settings: RunSettings,
): Pick<RunPlan, 'champion' | 'currentTag' | 'observedBefore' | 'promotion'> {
  const { champion = null, observationEnd = null, manual = null } = current?.value ?? {};
  const { promotion, promotionMargin, leakageAuc, leakageInputAuc, acceptedFeatures } = settings;
  return {
    champion:
      champion === null
        ? null
        : {
            runId: champion.runId,
            modelUri: champion.modelUri,
            testCutoff: champion.testCutoff,
            withheld: champion.withheld ?? false,
          },
    currentTag: current?.etag ?? null,
    observedBefore: observationEnd,
    promotion: {
      mode: manual === null ? promotion : 'manual',
      margin: promotionMargin,
      leakageAuc,
      leakageInputAuc,
      acceptedFeatures,
      maxQuarantineShare: settings.maxQuarantineShare,
    },
  };
}

/** The decision to run, as the state machine passes it on. */
export function runDecision(plan: RunPlan): PlanRunOutput {
  return {
    decision: plan.verifies === undefined ? 'run' : 'verify',
    runId: plan.runId,
    planUri: PLAN.of(plan.runId).uriIn(plan.lakeRoot),
    batchId: plan.batch.batchId,
    cluster: plan.cluster,
  };
}
