/**
 * Every object of the lake that is no Iceberg table: where it is, what is in it, and how that is written. Whatever
 * reads, writes, lists or permits one takes its place from here.
 */
import { z } from 'zod';
import { choiceSchema, decisionByPersonSchema, storedModelSchema } from './choice.ts';
import { each } from './each.ts';
import { isoDate } from './fields.ts';
import { fileIndexSchema, indexEntrySchema } from './file-index.ts';
import { forgottenUsersSchema } from './forgotten-users.ts';
import {
  type ColumnType,
  DRIVERS,
  type EvidenceTableName,
  EXPLORATION,
  externalTableFolder,
  FEATURE_RANGES,
  HAZARDS,
  HOMOGENEITY,
  INGEST_FILES,
  MODEL_METRICS,
  OUTCOMES,
  RUNS,
  SEGMENTS,
  SURVIVAL,
  type Table,
} from './lake.ts';
import { lakeFormatSchema } from './lake-format.ts';
import {
  type FolderKind,
  type ObjectKind,
  objectAt,
  objectPerId,
  objectsInFolder,
  type Remedy,
} from './lake-object.ts';
import { leaseSchema } from './lease.ts';
import { closedSchema, refusedSchema, watchedSinceSchema } from './markers.ts';
import { modelCardSchema } from './model-card.ts';
import { CSV_FILE, HTML_PAGE, jsonDocument, jsonRow, jsonRows } from './object-format.ts';
import { outcomeRowSchema } from './outcomes.ts';
import { currentSchema, runDetailSchema, runRecordSchema } from './records.ts';
import {
  featuresResultSchema,
  ingestResultSchema,
  scoringResultSchema,
  stepErrorSchema,
  trainingResultSchema,
} from './results.ts';
import { batchSchema, runPlanSchema, STEP_NAMES, type StepName } from './run.ts';
import { trainingDecisionSchema } from './training-decision.ts';

/** A run makes it: it can be made again. */
const MADE_BY_RUN: Remedy = {
  missing: 'Resume the run to make it again.',
  malformed: 'Remove it and resume the run, which makes it again.',
};
/** A run was planned by it: only a new plan can replace it. */
const PLANNED: Remedy = {
  missing: 'Start a new run.',
  malformed: 'Restore the last version that was whole, or start a new run.',
};
/** Later runs depend on it, and nothing makes it again. */
const KEPT: Remedy = {
  missing: 'Restore it.',
  malformed: 'Restore the last version that was whole.',
};

/** Folder of everything that one run writes. */
export function runFolder(runId: string): string {
  return `runs/${runId}`;
}

/** Folder of a local run's logs, one file for each step. */
export function logFolder(runId: string): string {
  return `${runFolder(runId)}/logs`;
}

/** Folder of the model that a run chose. */
export function modelFolder(runId: string): string {
  return `models/${runId}`;
}

/** The format of the lake; lakes of the first format have none. */
export const FORMAT = objectAt('lake.json', {
  what: 'format of the lake',
  format: jsonDocument(lakeFormatSchema),
  remedy: KEPT,
});

/** The lease that only one live run can hold. */
export const LEASE = objectAt('lease.json', {
  what: 'lease',
  format: jsonDocument(leaseSchema),
  remedy: KEPT,
});

/** The last run that succeeded, and the champion. */
export const CURRENT = objectAt('current.json', {
  what: 'pointer to what is current',
  format: jsonDocument(currentSchema),
  remedy: KEPT,
});

/** Where the grid of training and test cutoffs is fixed: kept from the first run on. */
export const CUTOFF_GRID = objectAt('cutoff-grid.json', {
  what: 'anchor of the grid of cutoffs',
  format: jsonDocument(z.strictObject({ anchor: isoDate })),
  remedy: KEPT,
});

/** When the sweep began to watch: what a pipeline that has never succeeded is measured from. */
export const WATCHED_SINCE = objectAt('watched-since.json', {
  what: 'marker of the first sweep',
  format: jsonDocument(watchedSinceSchema),
  remedy: KEPT,
});

/** Salted hashes of the users who asked to be forgotten. */
export const FORGOTTEN_USERS = objectAt('forgotten-users.json', {
  what: 'list of forgotten users',
  format: jsonDocument(forgottenUsersSchema),
  remedy: KEPT,
});

/** Marker of a batch that was begun and may not be in the ledger yet. */
export const PENDING_BATCH = objectsInFolder('pending', '.json', {
  what: 'marker of a batch that was begun',
  format: jsonDocument(batchSchema),
  remedy: KEPT,
});

/** What a run needs to know of a file in the ledger; the table has more columns. */
const ledgerRowSchema = z.object({
  uri: z.string(),
  etag: z.string(),
  bytes: z.number(),
  rows_accepted: z.number().default(0),
  rows_duplicate: z.number().default(0),
  rows_taken_away: z.number().default(0),
  /** Null in rows of a file that was taken out; rows of older versions lack it. */
  days: z.string().nullish(),
  taken_out: z.boolean().default(false),
  /** Why it is no event file; empty if it is one. */
  passed_over: z.string().default(''),
});
export type LedgerRow = z.infer<typeof ledgerRowSchema>;

/** The files of one batch, written by IngestEvents. */
export const LEDGER = objectsInFolder(externalTableFolder(INGEST_FILES), '.json', {
  what: 'ledger',
  format: jsonRows(ledgerRowSchema),
  remedy: KEPT,
});

/** What the report says of a file in the ledger: of millions of files runs hold what they need of each, and no more. */
const fileCountsSchema = z.object({
  uri: z.string(),
  rows_read: z.number().default(0),
  rows_quarantined: z.number().default(0),
  rows_duplicate: z.number().default(0),
  rows_adapted: z.number().default(0),
  adapted: z.string().nullish(),
  days: z.string().nullish(),
});
export type FileCounts = z.infer<typeof fileCountsSchema>;

/** The same objects as `LEDGER`, as the report reads them. */
export const FILE_COUNTS = objectsInFolder(externalTableFolder(INGEST_FILES), '.json', {
  what: 'ledger',
  format: jsonRows(fileCountsSchema),
  remedy: KEPT,
});

/** What will be entered in the ledger once the batch is published, and what else is to be done then. */
export const DRAFT = objectsInFolder('drafts', '.json', {
  what: 'draft of the ledger',
  format: jsonDocument(z.looseObject({ ledger: z.array(ledgerRowSchema) })),
  remedy: KEPT,
});

/** Derived from the ledger: whatever is wrong with it, it is rebuilt. */
const REBUILT: Remedy = {
  missing: 'The next run rebuilds it from the ledger.',
  malformed: 'Remove it: the next run rebuilds it from the ledger.',
};

/** Folder of the index of the ledger by address. */
export const INDEX_FOLDER = 'index';

/** What the index of the ledger covers, and which objects it consists of. */
export const FILE_INDEX = objectAt(`${INDEX_FOLDER}/files.json`, {
  what: 'index of the ledger',
  format: jsonDocument(fileIndexSchema),
  remedy: REBUILT,
});

/** Addresses that are gone from the log, and of which a run has said so. */
export const GONE_FILES = objectAt(`${INDEX_FOLDER}/gone.json`, {
  what: 'list of the files that are gone from the log',
  format: jsonDocument(z.array(z.string())),
  remedy: {
    missing: 'The next run names the files again.',
    malformed: 'Remove it: the next run names the files again.',
  },
});

/** Entries of the index, in the order of their addresses. */
export const INDEX_SHARD = objectsInFolder(`${INDEX_FOLDER}/files`, '.json', {
  what: 'part of the index of the ledger',
  format: jsonRows(indexEntrySchema),
  remedy: REBUILT,
});

/** One metric of one model; the keys are the columns of MODEL_METRICS. */
const metricRowSchema = z.strictObject({
  run_id: z.string(),
  model: z.string(),
  protocol: z.enum(['forward', 'retrospective']),
  slice: z.string(),
  metric: z.string(),
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});

/** The metrics of one run. */
export const METRIC_ROWS = objectsInFolder(externalTableFolder(MODEL_METRICS), '.json', {
  what: 'metrics of the run',
  format: jsonRows(metricRowSchema),
  remedy: MADE_BY_RUN,
});

/** A row of a table of evidence: a value or null for each of its columns. */
export type EvidenceRow = Readonly<Record<string, string | number | null>>;

/** What a run has found out about users and about its model: an object per run for each table. */
export const EVIDENCE_ROWS: Readonly<Record<EvidenceTableName, FolderKind<readonly EvidenceRow[]>>> = {
  segments: evidenceRows(SEGMENTS),
  exploration: evidenceRows(EXPLORATION),
  survival: evidenceRows(SURVIVAL),
  hazards: evidenceRows(HAZARDS),
  homogeneity: evidenceRows(HOMOGENEITY),
  drivers: evidenceRows(DRIVERS),
  feature_ranges: evidenceRows(FEATURE_RANGES),
};

/** What came true of the scores of one run, written once by the first run that knows. */
export const OUTCOME_ROWS = objectsInFolder(externalTableFolder(OUTCOMES), '.json', {
  what: 'outcome of the run',
  format: jsonRows(outcomeRowSchema),
  remedy: {
    missing: 'The next run counts it.',
    malformed: 'Remove it: the next run counts it again.',
  },
});

/** The record of one finished run. */
export const RUN_RECORD = objectsInFolder(externalTableFolder(RUNS), '.json', {
  what: 'record of the run',
  format: jsonRow(runRecordSchema),
  remedy: KEPT,
});

/** What DecideTraining decided in a run. */
export const TRAINING_DECISION = objectPerId((runId) => `${runFolder(runId)}/training-decision.json`, {
  what: 'decision whether to train',
  format: jsonDocument(trainingDecisionSchema),
  remedy: MADE_BY_RUN,
});

/** What ChooseModel decided in a run. */
export const CHOICE = objectPerId((runId) => `${runFolder(runId)}/choice.json`, {
  what: 'choice of the model',
  format: jsonDocument(choiceSchema),
  remedy: MADE_BY_RUN,
});

/** What a person decided about the model in charge, one object per decision. */
export const DECISION = objectsInFolder('decisions', '.json', {
  what: 'decision about the model in charge',
  format: jsonDocument(decisionByPersonSchema),
  remedy: KEPT,
});

const MODEL_NAME = 'model.json';

/** What is known of a stored model beside its files, as far as a decision needs it. */
export const MODEL = objectPerId((runId) => `${modelFolder(runId)}/${MODEL_NAME}`, {
  what: 'description of the model',
  format: jsonDocument(storedModelSchema),
  remedy: KEPT,
});

/** The description of a model. @param modelUri its folder */
export function modelIn(modelUri: string) {
  return MODEL.at(`${modelUri}/${MODEL_NAME}`);
}

const MODEL_CARD_NAME = 'model-card.json';

/** Lineage, figures, intended use and limits of the model that a run trained. */
export const MODEL_CARD = objectPerId((runId) => `${modelFolder(runId)}/${MODEL_CARD_NAME}`, {
  what: 'model card',
  format: jsonDocument(modelCardSchema),
  remedy: MADE_BY_RUN,
});

/** The card of a model. @param modelUri its folder */
export function modelCardIn(modelUri: string) {
  return MODEL_CARD.at(`${modelUri}/${MODEL_CARD_NAME}`);
}

export const PLAN = objectPerId((runId) => `${runFolder(runId)}/plan.json`, {
  what: 'plan of the run',
  format: jsonDocument(runPlanSchema),
  remedy: PLANNED,
});

/** The result of each step. A resumed run reads those of the run it resumes: their URIs are in the plan. */
export const STEP_RESULT = {
  'ingest-events': stepResult('ingest-events', ingestResultSchema),
  'build-features': stepResult('build-features', featuresResultSchema),
  'train-models': stepResult('train-models', trainingResultSchema),
  'score-users': stepResult('score-users', scoringResultSchema),
} as const satisfies Readonly<Record<StepName, ObjectKind<unknown>>>;

/** What a failed step says about its failure. */
export const STEP_ERROR = each(STEP_NAMES, stepError);

/** What store-metrics assembled for the report. */
export const RUN_DETAIL = objectPerId(detailKey, {
  what: 'detail of the run',
  format: jsonDocument(runDetailSchema),
  remedy: MADE_BY_RUN,
});

/** The same object, as far as a later run reads it: the rest may have been written by an older version. */
export const CHAMPION_DETAIL = objectPerId(detailKey, {
  what: "detail of the champion's run",
  format: jsonDocument(z.object({ training: trainingResultSchema.nullable() })),
  remedy: KEPT,
});

/** The list of a run, for the people who contact its users. */
export const CAMPAIGN = objectPerId((runId) => `${runFolder(runId)}/campaign.csv`, {
  what: 'list of the users to contact',
  format: CSV_FILE,
  remedy: MADE_BY_RUN,
});

export const CAMPAIGN_COLUMNS = ['user_id', 'probability', 'value', 'reasons', 'run_id'] as const;

/** Tag of objects that a lifecycle rule of the bucket removes: it finds them by the tag, because each run has its folder. */
export const CAMPAIGN_TAG = { key: 'churn-expires', value: 'campaign' } as const;

/** Marker of a closing of which people were notified. */
export const CLOSED = objectPerId((runId) => `${runFolder(runId)}/closed.json`, {
  what: 'marker of the closing',
  format: jsonDocument(closedSchema),
  remedy: KEPT,
});

/** Marker of a start that was refused because another run is alive: it fails, and nobody is notified. */
export const REFUSED = objectPerId((runId) => `${runFolder(runId)}/refused.json`, {
  what: 'marker of the refusal',
  format: jsonDocument(refusedSchema),
  remedy: KEPT,
});

const REPORTS = objectsInFolder('reports', '.html', {
  what: 'report',
  format: HTML_PAGE,
  remedy: MADE_BY_RUN,
});

/** The page that lists all reports; every run writes it again. */
export const REPORT_INDEX = REPORTS.of('index');

/** The report of one run. */
export const REPORT: FolderKind<string> = {
  ...REPORTS,
  idOf: (uri) => {
    const id = REPORTS.idOf(uri);
    return id === 'index' ? undefined : id;
  },
};

function evidenceRows(table: Table): FolderKind<readonly EvidenceRow[]> {
  const schemaOf = (type: ColumnType) => (type === 'string' ? z.string() : z.number()).nullable();
  const columns = Object.fromEntries(table.columns.map(({ name, type }) => [name, schemaOf(type)]));
  return objectsInFolder(externalTableFolder(table), '.json', {
    what: `rows of the run in ${table.name}`,
    format: jsonRows(z.strictObject(columns)),
    remedy: MADE_BY_RUN,
  });
}

function stepResult<Result>(step: StepName, schema: z.ZodType<Result>): ObjectKind<Result> {
  return objectPerId((runId) => `${runFolder(runId)}/results/${step}.json`, {
    what: `result of ${step}`,
    format: jsonDocument(schema),
    remedy: MADE_BY_RUN,
  });
}

function stepError(step: StepName) {
  return objectPerId((runId) => `${runFolder(runId)}/errors/${step}.json`, {
    what: `error of ${step}`,
    format: jsonDocument(stepErrorSchema),
    remedy: MADE_BY_RUN,
  });
}

function detailKey(runId: string): string {
  return `${runFolder(runId)}/detail.json`;
}
