/**
 * What passes between the states of a run: the request that starts it, the plan that every step reads, and what the
 * Lambdas take and give. Each is a zod schema; types are inferred.
 */
import { z } from 'zod';
import { count, isoDate, share, uri } from './fields.ts';
import { STATES, STEP_STATES } from './states.ts';

/** The Spark steps, in order; also the names of their scripts, results and error files. */
export const STEP_NAMES = STEP_STATES.map((state) => STATES[state].stepName);
export const stepNameSchema = z.enum(STEP_NAMES);
export type StepName = z.infer<typeof stepNameSchema>;

/** What a person may ask of a run; `{}` asks for the defaults. Unknown fields are refused by name. */
export const runRequestSchema = z.strictObject({
  /** Folder, file or glob of event files; default: where the deployment keeps its log. */
  events: uri.optional(),
  /** Scoring cutoff; default: found in the log. */
  observationEnd: isoDate.optional(),
  /** How far ahead cancellations are predicted, in days. */
  horizonDays: z.number().int().min(1).max(60).optional(),
  /** Above this share of refused rows the run fails before it trains. */
  maxQuarantineShare: share.optional(),
  /** Seed of everything random. */
  seed: z.number().int().min(0).max(2_147_483_647).optional(),
  /** Run even when there is no new file. */
  force: z.boolean().optional(),
  /** Take up the plan of this run, skipping the steps whose results stand. */
  resume: z.string().min(1).optional(),
});
export type RunRequest = z.infer<typeof runRequestSchema>;

/** Defaults of a deployment; a request overrides some of them for one run. */
export const runSettingsSchema = z.strictObject({
  horizonDays: z.number().int().min(1).max(60).default(14),
  minHistoryDays: z.number().int().min(1).default(14),
  cutoffStepDays: z.number().int().min(1).default(7),
  maxCutoffs: z.number().int().min(2).default(26),
  /** A day belongs to the log when it has at least this share of the median daily rows. */
  minDailyShare: share.default(0.05),
  maxQuarantineShare: share.default(0.05),
  /** Earliest time of an event that is believed, UTC day. */
  earliestEventDay: isoDate.default('2005-01-01'),
  /** An event may lie at most this far after the moment the run was planned. */
  maxClockSkewHours: z.number().int().nonnegative().default(24),
  /** Fewer users who cancel in the training rows than this: the model is marked unreliable. */
  minCancellations: z.number().int().min(1).default(50),
  folds: z.number().int().min(2).max(10).default(3),
  seed: z.number().int().default(20_181_001),
  /** Share of users never to be contacted, so that the effect of contacting can be measured. */
  controlGroupShare: share.default(0.1),
  controlGroupSalt: z.string().default('control'),
  /** Refuse a run that is estimated to cost more. */
  budgetUsd: z.number().positive().default(50),
});
export type RunSettings = z.infer<typeof runSettingsSchema>;

/** One event file as it was listed. */
export const eventFileSchema = z.strictObject({ uri, etag: z.string(), bytes: count });
export type EventFile = z.infer<typeof eventFileSchema>;

/** A batch: the files that one run takes in together. Its id is a hash of the list. */
export const batchSchema = z.strictObject({
  batchId: z.string().regex(/^[0-9a-f]{16}$/),
  /** UTC day on which it was first planned; stays the same when a later run takes it up again. */
  ingestDate: isoDate,
  files: z.array(eventFileSchema),
});
export type Batch = z.infer<typeof batchSchema>;

/** How large the cluster is; chosen by sizing.ts from the bytes to read. */
export const clusterSizeSchema = z.strictObject({
  coreUnits: z.number().int().min(1),
  /** At least one: EMR refuses a fleet whose target is 0. */
  taskUnits: z.number().int().min(1),
  executors: z.number().int().min(1),
  estimatedMinutes: z.number().nonnegative(),
  estimatedUsd: z.number().nonnegative(),
});
export type ClusterSize = z.infer<typeof clusterSizeSchema>;

/** Everything the Spark steps need to know. Written once by PlanRun, never changed. */
export const runPlanSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  plannedAt: z.iso.datetime(),
  /** Root of the lake: `s3://bucket` or `file:///folder`, without a slash at the end. */
  lakeRoot: uri,
  batch: batchSchema,
  /** Batches that were begun and never finished: their rows are cleared away before this one is written. */
  abandonedBatchIds: z.array(z.string()),
  ingest: z.strictObject({
    earliestEventMilliseconds: z.number().int(),
    latestEventMilliseconds: z.number().int(),
    maxQuarantineShare: share,
    /** Tasks of the shuffle by day. */
    shufflePartitions: z.number().int().min(1),
    /** A day's users are spread over this many tasks and files. */
    slicesPerDay: z.number().int().min(1),
  }),
  training: z.strictObject({
    horizonDays: z.number().int(),
    minHistoryDays: z.number().int(),
    cutoffStepDays: z.number().int(),
    maxCutoffs: z.number().int(),
    minDailyShare: share,
    observationEnd: isoDate.nullable(),
    minCancellations: z.number().int(),
    folds: z.number().int(),
    seed: z.number().int(),
    /** Barrier tasks of XGBoost; never more than the executors' slots. */
    boostingWorkers: z.number().int().min(1),
  }),
  scoring: z.strictObject({ controlGroupShare: share, controlGroupSalt: z.string() }),
  cluster: clusterSizeSchema,
  /** Where each step writes its result or, when it fails, its error. */
  outputs: z.strictObject({
    results: z.record(stepNameSchema, uri),
    errors: z.record(stepNameSchema, uri),
    ledger: uri,
    model: uri,
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
      readonly decision: 'run';
      readonly runId: string;
      readonly planUri: string;
      readonly batchId: string;
      readonly cluster: ClusterSize;
    }
  | { readonly decision: 'nothing-to-do'; readonly runId: string; readonly reason: string }
  | { readonly decision: 'refused'; readonly runId: string; readonly reason: string };

/** Input of the StoreMetrics state's Lambda. */
export const storeMetricsInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  planUri: uri,
  reconcileQueryExecutionId: z.string().min(1),
});
export type StoreMetricsInput = z.infer<typeof storeMetricsInputSchema>;

/** What StoreMetrics hands on: the run in a few sentences, for the notification. */
export const storeMetricsOutputSchema = z.strictObject({ summary: z.string().min(1) });
export type StoreMetricsOutput = z.infer<typeof storeMetricsOutputSchema>;

/** Input of the RenderReport state's Lambda. */
export const renderReportInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
});
export type RenderReportInput = z.infer<typeof renderReportInputSchema>;

/** What RenderReport hands on: where the report lies, and the link a reader opens it by (the console's, or the file's). */
export const renderReportOutputSchema = z.strictObject({ reportUri: uri, link: z.string().min(1) });
export type RenderReportOutput = z.infer<typeof renderReportOutputSchema>;

/** The message to the subscribers about a run: input of the notifier. */
export const noticeSchema = z.strictObject({ subject: z.string().min(1), text: z.string().min(1) });
export type Notice = z.infer<typeof noticeSchema>;

/** Input of the CloseRun state's Lambda: which run ends badly, and the error that was caught. */
export const closeRunInputSchema = z.strictObject({
  runId: z.string().min(1),
  executionArn: z.string().min(1),
  startedAt: z.string(),
  failure: z.strictObject({ Error: z.string().optional(), Cause: z.string().optional() }),
});
export type CloseRunInput = z.infer<typeof closeRunInputSchema>;

/** What CloseRun hands on, and the execution ends with: the error's name, and the explanation a person can act on. */
export const closeRunOutputSchema = z.strictObject({ Error: z.string().min(1), Cause: z.string() });
export type CloseRunOutput = z.infer<typeof closeRunOutputSchema>;
