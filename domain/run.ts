/**
 * What passes between the states of a run: the request that starts it, the plan that every step reads, and the input and
 * output of the Lambdas. Each is a zod schema; types are inferred.
 */
import { z } from 'zod';
import { count, databaseName, isoDate, share, uri, wholeNumber } from './fields.ts';
import { LOCAL_DATABASE } from './lake.ts';
import { listingSchema } from './listing.ts';
import { LEAKAGE_AUC, LEAKAGE_INPUT_AUC } from './models.ts';
import { DEFAULT_TERMS } from './money.ts';
import { HORIZON_DAYS, requestShape, SEED } from './request-fields.ts';
import { RETROSPECTIVE_MODES } from './retrospective.ts';
import { STATES, STEP_STATES } from './states.ts';
import { trainModeSchema, trainSettingsSchema } from './training-decision.ts';

/** The Spark steps, in order; also the names of their scripts, results and error files. */
export const STEP_NAMES = STEP_STATES.map((state) => STATES[state].stepName);
export const stepNameSchema = z.enum(STEP_NAMES);
export type StepName = z.infer<typeof stepNameSchema>;

/** What can be requested of a run; `{}` asks for the defaults. Unknown fields are refused by name. */
export const runRequestSchema = z.strictObject(requestShape);
export type RunRequest = z.infer<typeof runRequestSchema>;

/** Whether folders named like this sort by day or month. */
function sortsByDay(folder: string): boolean {
  const parts = (folder.match(/YYYY|MM|DD/g) ?? []).join();
  return parts === 'YYYY,MM,DD' || parts === 'YYYY,MM';
}

/** Whether a challenger may take over by itself. */
export const promotionModeSchema = z.enum(['automatic', 'manual']);

/** Days for which the list of a run is kept, unless a setting says otherwise. */
const CAMPAIGN_DAYS = 30;
const campaignDays = z.number().int().min(1).max(3_650);

/** Days for which a run's objects, model and scores are kept, unless a setting says otherwise. */
const RETENTION_DAYS = 400;

/** What a contact costs and saves, in the operator's currency. */
export const termsSchema = z.strictObject({
  customerValue: z.number().nonnegative(),
  offerCost: z.number().nonnegative(),
  contactCost: z.number().nonnegative(),
  acceptance: share,
});

/** Defaults of a deployment; a request overrides some of them for one run. */
export const runSettingsSchema = z.strictObject({
  horizonDays: wholeNumber(HORIZON_DAYS).default(14),
  minHistoryDays: z.number().int().min(1).default(14),
  cutoffStepDays: z.number().int().min(1).default(5),
  /** A day of the grid of training and test cutoffs; null: the lake keeps that of its first run. */
  cutoffAnchor: isoDate.nullable().default(null),
  maxCutoffs: z.number().int().min(2).default(26),
  /** A day belongs to the log if it has at least this share of the median daily rows. */
  minDailyShare: share.default(0.05),
  maxQuarantineShare: share.default(0.05),
  /** Whether values that can only mean one thing are refused, too, unless they are written as they should be. */
  strict: z.boolean().default(false),
  /** First UTC day of which events are accepted. */
  earliestEventDay: isoDate.default('2005-01-01'),
  /** An event may be at most this much later than the moment the run was planned. */
  maxClockSkewHours: z.number().int().nonnegative().default(24),
  /** With fewer users who cancel in the training rows than this, the model is marked unreliable. */
  minCancellations: z.number().int().min(1).default(50),
  folds: z.number().int().min(2).max(10).default(3),
  seed: wholeNumber(SEED).default(20_181_001),
  /** When a run trains, unless its request says so. */
  train: trainModeSchema.default('when-new'),
  /** When a run that trains also judges models by the retrospective protocol, for comparison. */
  retrospective: z.enum(RETROSPECTIVE_MODES).default('first-run'),
  /** Share of users who are never contacted, so that the effect of contacting can be measured. */
  controlGroupShare: share.default(0.1),
  controlGroupSalt: z.string().default('control'),
  /** Days for which campaign.csv, the list of a run, is kept. */
  campaignDays: campaignDays.default(CAMPAIGN_DAYS),
  /** Days after which models, objects, reports and scores of runs are removed; those of the newest runs stay longer. */
  retentionDays: z.number().int().min(1).max(36_500).default(RETENTION_DAYS),
  /** Worth of a customer who stays, cost of the offer and of a contact, and the share of cancellers who accept the offer. */
  terms: termsSchema.default(DEFAULT_TERMS),
  /** `manual`: a challenger waits until a person promotes it, where a usable champion exists. */
  promotion: promotionModeSchema.default('automatic'),
  /** By how much average precision over base rate may be lower before a challenger is refused. */
  promotionMargin: z.number().nonnegative().default(0),
  /** The lower end of the AUC's interval above which the model must know the future. */
  leakageAuc: share.default(LEAKAGE_AUC),
  /** The same for a single input. */
  leakageInputAuc: share.default(LEAKAGE_INPUT_AUC),
  /** Features that may rank better by themselves than that: known, looked into, and no leak. */
  acceptedFeatures: z.array(z.string()).default([]),
  /** Features that no model takes as an input. */
  excludedFeatures: z.array(z.string()).default([]),
  /** A run whose estimated cost is higher is refused. */
  budgetUsd: z.number().positive().default(50),
  /** Limits the listing of a log in folders by day; null when all of it is listed at every start. */
  listSince: z
    .strictObject({
      /** How the log names the folders of a UTC day or month, below its root: YYYY, MM and DD stand for the parts. */
      folder: z
        .string()
        .regex(/^[^/].*[^/]$/, 'must not begin or end with /')
        .refine(sortsByDay, 'must hold YYYY, MM and perhaps DD, once each and in this order'),
      /** Folders of days before these last ones are not listed. */
      days: z.number().int().min(1),
    })
    .nullable()
    .default(null),
});
export type RunSettings = z.infer<typeof runSettingsSchema>;

/** One event file as it was listed. */
export const eventFileSchema = z.strictObject({
  uri,
  etag: z.string(),
  bytes: count,
  /** Its name does not say whether it holds events: ingest looks at its first lines. */
  unsure: z.boolean().optional(),
});
export type EventFile = z.infer<typeof eventFileSchema>;

/** The files that a run takes at most: the plan and the ledger of a batch are read as a whole. */
export const MAX_BATCH_FILES = 50_000;

/** A version of a file that the lake holds, and the batch that ingested it. */
export const heldFileSchema = z.strictObject({ uri, batchId: z.string().min(1) });
export type HeldFile = z.infer<typeof heldFileSchema>;

/** A batch: the files that one run ingests together. Its id is a hash of the list and of the batch ledgered before it. */
export const batchSchema = z.strictObject({
  batchId: z.string().regex(/^[0-9a-f]{16}$/),
  /** UTC day on which it was first planned; stays the same when a later run ingests it again. */
  ingestDate: isoDate,
  files: z.array(eventFileSchema),
  /** Versions that leave the lake because their files were replaced. */
  replaced: z.array(heldFileSchema).optional(),
  /** Versions that leave the lake because the request said so. */
  takenOut: z.array(heldFileSchema).optional(),
});
export type Batch = z.infer<typeof batchSchema>;

/** Size of the cluster; chosen by sizing.ts from the bytes to read. */
export const clusterSizeSchema = z.strictObject({
  coreUnits: z.number().int().min(1),
  /** At least one: EMR refuses a fleet whose target is 0. */
  taskUnits: z.number().int().min(1),
  executors: z.number().int().min(1),
  estimatedMinutes: z.number().nonnegative(),
  estimatedUsd: z.number().nonnegative(),
});
export type ClusterSize = z.infer<typeof clusterSizeSchema>;

/** A model in charge: the run that trained it, where it is, and the cutoff on which it was tested then. */
export const modelInChargeSchema = z.strictObject({
  runId: z.string(),
  modelUri: uri,
  testCutoff: isoDate,
  /** Whether its probabilities were not believed when it was last tested. Older versions did not write it. */
  withheld: z.boolean().optional(),
});
export type ModelInCharge = z.infer<typeof modelInChargeSchema>;

/** What ChooseModel goes by, as it was when the run was planned. */
export const promotionSettingsSchema = z.strictObject({
  mode: promotionModeSchema,
  margin: z.number().nonnegative(),
  leakageAuc: share,
  leakageInputAuc: share,
  acceptedFeatures: z.array(z.string()),
  /** Share of refused rows above which a model is not promoted, even if the request lets the run go on. */
  maxQuarantineShare: share,
});
export type PromotionSettings = z.infer<typeof promotionSettingsSchema>;

/** Everything the Spark steps need to know. Written once by PlanRun, never changed. */
export const runPlanSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  plannedAt: z.iso.datetime(),
  /** Names what the steps are executed with; plans of before there were releases have none. */
  release: z.string().min(1).default('none'),
  /** Root of the lake: `s3://bucket` or `file:///folder`, without a slash at the end. */
  lakeRoot: uri,
  /** Database of the tables; plans of before each deployment had its own lack it. */
  database: databaseName.default(LOCAL_DATABASE),
  batch: batchSchema,
  /** Batches that were started and never finished: their rows are deleted before this one is written. */
  abandonedBatchIds: z.array(z.string()),
  /** What was left out of the listing and of the batch. Plans of older versions lack it. */
  listing: listingSchema.optional(),
  ingest: z.strictObject({
    earliestEventMilliseconds: z.number().int(),
    latestEventMilliseconds: z.number().int(),
    maxQuarantineShare: share,
    /** Plans of older versions lack it. */
    strict: z.boolean().optional(),
    /** Tasks of the shuffle by day. */
    shufflePartitions: z.number().int().min(1),
    /** A day's users are distributed over this many tasks and files. */
    slicesPerDay: z.number().int().min(1),
  }),
  training: z.strictObject({
    horizonDays: z.number().int(),
    minHistoryDays: z.number().int(),
    cutoffStepDays: z.number().int(),
    /** A day of the grid; null before the first success. Plans of older versions lack it. */
    cutoffAnchor: isoDate.nullable().default(null),
    maxCutoffs: z.number().int(),
    minDailyShare: share,
    observationEnd: isoDate.nullable(),
    minCancellations: z.number().int(),
    folds: z.number().int(),
    seed: z.number().int(),
    /** Barrier tasks of XGBoost; never more than the executors have slots. */
    boostingWorkers: z.number().int().min(1),
    excludedFeatures: z.array(z.string()).default([]),
    /** Whether models are judged by the retrospective protocol, too. Plans of older versions lack it. */
    retrospective: z.boolean().default(false),
  }),
  /** The model in charge when the run was planned. Plans of older versions lack it and what follows. */
  champion: modelInChargeSchema.nullable().default(null),
  /** Entity tag of current.json then; null when there was none. */
  currentTag: z.string().nullable().default(null),
  /** Observation end of the run that was current then; null when it is not known. */
  observedBefore: isoDate.nullable().default(null),
  promotion: promotionSettingsSchema.default({
    mode: 'automatic',
    margin: 0,
    leakageAuc: LEAKAGE_AUC,
    leakageInputAuc: LEAKAGE_INPUT_AUC,
    acceptedFeatures: [],
    maxQuarantineShare: 1,
  }),
  /** Whether the run trains. Plans of older versions lack it, and trained always. */
  train: trainSettingsSchema.default({ mode: 'always', askedBy: 'setting', fingerprint: '' }),
  /** The run whose model is trained again, by a run that does nothing else. */
  verifies: z.string().min(1).optional(),
  /** Written by older versions for a run that only scored. */
  rescoring: z.record(z.string(), z.string()).nullable().optional(),
  scoring: z.strictObject({
    controlGroupShare: share,
    controlGroupSalt: z.string(),
    /** Plans of older versions lack it and what follows. */
    terms: termsSchema.default(DEFAULT_TERMS),
    campaignDays: campaignDays.default(CAMPAIGN_DAYS),
  }),
  /** Runs that have had their time: this run removes what they left. Plans of older versions lack it. */
  expiredRuns: z.array(z.string().min(1)).default([]),
  cluster: clusterSizeSchema,
  /** Where each step writes its result or, when it fails, its error. */
  outputs: z.strictObject({
    results: z.record(stepNameSchema, uri),
    errors: z.record(stepNameSchema, uri),
    ledger: uri,
    model: uri,
    /** Where ChooseModel writes its choice. Plans of older versions lack it. */
    choice: uri.optional(),
    /** Where ScoreUsers writes the list. Plans of older versions lack it. */
    campaign: uri.optional(),
    /** Where DecideTraining writes its decision. Plans of older versions lack it. */
    trainingDecision: uri.optional(),
  }),
});
export type RunPlan = z.infer<typeof runPlanSchema>;

/** Input of the PlanRun state's Lambda. */
export const planRunInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  startedAt: z.string(),
  request: z.unknown(),
});
export type PlanRunInput = z.infer<typeof planRunInputSchema>;

/** What PlanRun decided; the state machine's payload from then on (under `$.plan`). */
export type PlanRunOutput =
  | {
      /** `verify`: the run only trains. */
      readonly decision: 'run' | 'verify';
      readonly runId: string;
      readonly planUri: string;
      readonly batchId: string;
      readonly cluster: ClusterSize;
    }
  | { readonly decision: 'nothing-to-do'; readonly runId: string; readonly reason: string }
  | { readonly decision: 'refused'; readonly runId: string; readonly reason: string };

/** Input of the DecideTraining state's Lambda. */
export const decideTrainingInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  planUri: uri,
});
export type DecideTrainingInput = z.infer<typeof decideTrainingInputSchema>;

/** Input of the ChooseModel state's Lambda. */
export const chooseModelInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  planUri: uri,
});
export type ChooseModelInput = z.infer<typeof chooseModelInputSchema>;

/** Output of ChooseModel: whose model scores, and why. */
export const chooseModelOutputSchema = z.strictObject({ scores: z.string(), reason: z.string() });
export type ChooseModelOutput = z.infer<typeof chooseModelOutputSchema>;

/** Input of the StoreMetrics state's Lambda. */
export const storeMetricsInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  planUri: uri,
  reconcileQueryExecutionId: z.string().min(1),
});
export type StoreMetricsInput = z.infer<typeof storeMetricsInputSchema>;

/** Output of StoreMetrics: the run in a few sentences, for the notification. */
export const storeMetricsOutputSchema = z.strictObject({ summary: z.string().min(1) });
export type StoreMetricsOutput = z.infer<typeof storeMetricsOutputSchema>;

/** Input of the RenderReport state's Lambda. */
export const renderReportInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
});
export type RenderReportInput = z.infer<typeof renderReportInputSchema>;

/** Output of RenderReport: the report's URI, and the link that opens it (in the console, or the file itself). */
export const renderReportOutputSchema = z.strictObject({ reportUri: uri, link: z.string().min(1) });
export type RenderReportOutput = z.infer<typeof renderReportOutputSchema>;

/** The message to the subscribers about a run: input of the notifier. */
export const noticeSchema = z.strictObject({ subject: z.string().min(1), text: z.string().min(1) });
export type Notice = z.infer<typeof noticeSchema>;

/** Input of the CloseRun state's Lambda: the run that failed, and the error that was caught. */
export const closeRunInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  startedAt: z.string(),
  failure: z.strictObject({ Error: z.string().optional(), Cause: z.string().optional() }),
});
export type CloseRunInput = z.infer<typeof closeRunInputSchema>;

/** Output of CloseRun, with which the execution fails: the error's name, and an explanation that a person can act on. */
export const closeRunOutputSchema = z.strictObject({ Error: z.string().min(1), Cause: z.string() });
export type CloseRunOutput = z.infer<typeof closeRunOutputSchema>;
