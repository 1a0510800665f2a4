/**
 * What passes between the states of a run: the request that starts it, the plan that every step reads,
 * the result that every step writes, and the record that is kept. Each is a zod schema; types are inferred.
 */
import { z } from 'zod';
import { REFUSAL_REASONS, type RefusalCode } from './events.ts';
import { ISO_DATE } from './time.ts';

/** The Spark steps, in order; also the names of their scripts, results and error files. */
export const STEP_NAMES = ['ingest-events', 'build-features', 'train-models', 'score-users'] as const;
export const stepNameSchema = z.enum(STEP_NAMES);
export type StepName = z.infer<typeof stepNameSchema>;

const isoDate = z.string().regex(ISO_DATE, 'must be a UTC day, YYYY-MM-DD');
const share = z.number().min(0).max(1);
const count = z.number().int().nonnegative();
const uri = z.string().min(1);

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

/** Rows by what became of them. `read = accepted + quarantined + duplicates`, each counted by itself. */
export const rowCountsSchema = z.strictObject({
  read: count,
  accepted: count,
  quarantined: count,
  duplicates: count,
});
export type RowCounts = z.infer<typeof rowCountsSchema>;

const refusalCodes = REFUSAL_REASONS.map((reason) => reason.code) as [RefusalCode, ...RefusalCode[]];
export const refusalCodeSchema = z.enum(refusalCodes);

/** A refused row as a person is shown it: shortened, names blanked. */
export const refusedExampleSchema = z.strictObject({
  reason: refusalCodeSchema,
  file: z.string(),
  line: z.string(),
});

/** Result of ingest-events. */
export const ingestResultSchema = z.strictObject({
  counts: rowCountsSchema,
  /** Refused rows by reason. */
  refused: z.partialRecord(refusalCodeSchema, count),
  examples: z.array(refusedExampleSchema).max(3),
  filesRead: count,
  bytesRead: count,
  firstDay: isoDate.nullable(),
  lastDay: isoDate.nullable(),
  /** Days of user_days that were computed anew. */
  daysRecomputed: count,
  /** Snapshots after this batch; the ids exceed what JSON numbers hold exactly. */
  snapshots: z.strictObject({ events: z.string().nullable(), user_days: z.string().nullable() }),
});
export type IngestResult = z.infer<typeof ingestResultSchema>;

/** What the rows of a cutoff are for. */
export const CUTOFF_ROLES = ['train', 'test', 'score'] as const;

/** Result of build-features. */
export const featuresResultSchema = z.strictObject({
  firstDay: isoDate,
  observationEnd: isoDate,
  observedDays: count,
  cutoffs: z.array(
    z.strictObject({
      cutoff: isoDate,
      role: z.enum(CUTOFF_ROLES),
      rows: count,
      /** Users who cancel within the horizon; null for the scoring cutoff, whose future is unknown. */
      cancellations: count.nullable(),
    }),
  ),
  /** Users with a history, and how many of them cancelled, in the whole lake. */
  users: count,
  cancellations: count,
  featureCount: count,
  snapshots: z.strictObject({ user_days: z.string(), features: z.string() }),
});
export type FeaturesResult = z.infer<typeof featuresResultSchema>;

/** Figures of a model at one threshold of its calibrated probability. */
export const decisionSchema = z.strictObject({
  threshold: z.number(),
  truePositives: z.number(),
  falsePositives: z.number(),
  trueNegatives: z.number(),
  falseNegatives: z.number(),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
  balancedAccuracy: z.number(),
});

/** A figure with its 95 % interval, where one was computed. */
export const estimateSchema = z.strictObject({
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});

/** One candidate or baseline as it did on the test rows. Figures are keyed by the metric names of models.ts. */
export const modelEvaluationSchema = z.strictObject({
  model: z.string(),
  kind: z.enum(['candidate', 'baseline']),
  metrics: z.record(z.string(), estimateSchema),
  decisions: z.record(z.string(), decisionSchema),
  /** Ten equal-count bins: mean predicted probability, share that cancelled, users. */
  reliability: z.array(z.strictObject({ predicted: z.number(), observed: z.number(), users: z.number() })),
  fitSeconds: z.number().nonnegative(),
});
export type ModelEvaluation = z.infer<typeof modelEvaluationSchema>;

/** Result of train-models. */
export const trainingResultSchema = z.strictObject({
  trainRows: count,
  trainCancellations: count,
  testRows: count,
  testCancellations: count,
  testCutoff: isoDate,
  evaluations: z.array(modelEvaluationSchema),
  chosen: z.string(),
  /** False when there were too few cancellations to trust the figures. */
  reliable: z.boolean(),
  reliabilityReason: z.string(),
  /** Share of the chosen model's gain (or absolute weight) that each feature has; largest first. */
  importance: z.array(z.strictObject({ feature: z.string(), share: z.number() })),
  modelUri: uri,
  featuresSnapshot: z.string(),
});
export type TrainingResult = z.infer<typeof trainingResultSchema>;

/** Result of score-users. */
export const scoringResultSchema = z.strictObject({
  users: count,
  cutoff: isoDate,
  expectedCancellations: z.number().nonnegative(),
  /** The users most at risk, for the first page of the report. */
  top: z.array(
    z.strictObject({
      userId: z.string(),
      probability: z.number(),
      level: z.string().nullable(),
      inControlGroup: z.boolean(),
      reasons: z.array(z.string()),
    }),
  ),
  snapshots: z.strictObject({ scores: z.string() }),
});
export type ScoringResult = z.infer<typeof scoringResultSchema>;

/** What a failing step leaves behind for people. */
export const stepErrorSchema = z.strictObject({
  step: stepNameSchema,
  errorClass: z.string(),
  message: z.string(),
  likelyCause: z.string(),
  whatToDo: z.string(),
});
export type StepError = z.infer<typeof stepErrorSchema>;

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

/** The model in charge and the run whose scores are current. */
export const currentSchema = z.strictObject({
  runId: z.string(),
  batchId: z.string(),
  champion: z
    .strictObject({ runId: z.string(), modelUri: uri, testCutoff: isoDate, promotedAt: z.iso.datetime() })
    .nullable(),
});
export type Current = z.infer<typeof currentSchema>;

/** One row of the table `runs`; its keys are the columns of RUNS in lake.ts. */
export const runRecordSchema = z.strictObject({
  run_id: z.string(),
  status: z.enum(['SUCCEEDED', 'FAILED']),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  batch_id: z.string().nullable(),
  rows_read: count.nullable(),
  rows_accepted: count.nullable(),
  rows_quarantined: count.nullable(),
  rows_duplicate: count.nullable(),
  users: count.nullable(),
  cancellations: count.nullable(),
  model: z.string().nullable(),
  promoted: z.boolean().nullable(),
  promotion_reason: z.string().nullable(),
  cost_usd: z.number().nullable(),
  error: z.string().nullable(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** All that is known of a run that succeeded: what the report shows and `churn run --json` sums up. */
export const runDetailSchema = z.strictObject({
  record: runRecordSchema,
  plan: runPlanSchema,
  ingest: ingestResultSchema,
  features: featuresResultSchema,
  training: trainingResultSchema,
  scoring: scoringResultSchema,
  /** Table counted by the SQL engine against the count a step took: table, counted, expected. */
  reconciliation: z.array(z.strictObject({ table: z.string(), counted: count, expected: count })),
});
export type RunDetail = z.infer<typeof runDetailSchema>;

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
