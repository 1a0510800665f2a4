/**
 * The lake: its tables, their columns and who writes them, and where every object of a run lies.
 * The PySpark, the Glue tables, the local SQL engine and the docs are derived from here.
 */
import type { LambdaStateName, StepStateName } from './states.ts';

/** Name of the Spark catalog under which every Iceberg table is addressed, in the cloud and on one machine. */
export const CATALOG = 'lake';
/** Database (Glue) or namespace (local catalog) of the tables. */
export const DATABASE = 'churn';
/** Iceberg format version: the newest that both EMR and Athena write and read. */
export const ICEBERG_FORMAT_VERSION = 2;
/** Branch on which a batch is staged before it is published to readers in one commit. */
export const STAGING_BRANCH = 'staging';

/** Column types, in Spark SQL's words; every one exists in Iceberg and Athena too. */
export type ColumnType =
  | 'string'
  | 'int'
  | 'bigint'
  | 'double'
  | 'boolean'
  | 'date'
  | 'timestamp_ntz'
  | 'binary'
  | 'array<string>';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly meaning: string;
  /** Raw column it is taken from, where it is one. */
  readonly from?: string;
}

/** The states that can write tables. */
export type Writer = StepStateName | LambdaStateName;

export interface Table {
  readonly name: string;
  /** `iceberg`: atomic commits; `json`: one JSON-lines object a batch or run, an external table. */
  readonly format: 'iceberg' | 'json';
  readonly grain: string;
  readonly partitionedBy: readonly string[];
  readonly writtenBy: Writer;
  readonly columns: readonly Column[];
}

const column = (name: string, type: ColumnType, meaning: string, from?: string): Column =>
  from === undefined ? { name, type, meaning } : { name, type, meaning, from };

const BATCH_ID = column('batch_id', 'string', 'batch of files the row came with');

export const EVENTS = {
  name: 'events',
  format: 'iceberg',
  grain: 'event, typed, de-duplicated, without names of people',
  partitionedBy: ['event_date'],
  writtenBy: 'IngestEvents',
  columns: [
    column('event_date', 'date', 'UTC day of the event'),
    column('event_time', 'timestamp_ntz', 'time of the event, UTC', 'ts'),
    column('user_id', 'string', 'user; empty when nobody is signed in', 'userId'),
    column('session_id', 'bigint', 'session; unique only together with the user', 'sessionId'),
    column('item_in_session', 'int', 'position of the event in its session', 'itemInSession'),
    column('page', 'string', 'page that was touched', 'page'),
    column('auth', 'string', 'whether somebody was signed in', 'auth'),
    column('level', 'string', 'subscription at the time: free or paid', 'level'),
    column('method', 'string', 'HTTP method', 'method'),
    column('status', 'int', 'HTTP status', 'status'),
    column('artist', 'string', 'artist of the song played', 'artist'),
    column('song', 'string', 'title of the song played', 'song'),
    column('length_seconds', 'double', 'length of the song played', 'length'),
    column('gender', 'string', 'gender the user registered with', 'gender'),
    column('location', 'string', 'metropolitan area and state', 'location'),
    column('user_agent', 'string', "the browser's user agent", 'userAgent'),
    column('registered_at', 'timestamp_ntz', 'when the user registered, UTC', 'registration'),
    column('source_file', 'string', 'file the row was read from'),
    BATCH_ID,
  ],
} as const satisfies Table;

export const QUARANTINED_EVENTS = {
  name: 'quarantined_events',
  format: 'iceberg',
  grain: 'refused row',
  partitionedBy: ['ingest_date'],
  writtenBy: 'IngestEvents',
  columns: [
    column('ingest_date', 'date', 'UTC day on which the batch was first planned'),
    column('reason', 'string', 'why it was refused'),
    column('source_file', 'string', 'file the row was read from'),
    column('line', 'string', 'the line, shortened to 4 KiB, names of people blanked'),
    BATCH_ID,
  ],
} as const satisfies Table;

/** Longest quarantined line that is kept, in bytes. */
export const QUARANTINED_LINE_BYTES = 4_096;
/** How long snapshots of the tables are kept: until then a model's training data can be had again. */
export const SNAPSHOT_RETENTION_DAYS = 90;
/** How long quarantined rows are kept. */
export const QUARANTINE_RETENTION_DAYS = 30;

const counter = (name: string, meaning: string): Column => column(name, 'bigint', meaning);

/** Pages that user_days counts one by one: column and page. Pages that only nobody or newcomers touch are left out. */
export const PAGE_COUNTERS = [
  { column: 'songs', page: 'NextSong' },
  { column: 'home_visits', page: 'Home' },
  { column: 'thumbs_up', page: 'Thumbs Up' },
  { column: 'thumbs_down', page: 'Thumbs Down' },
  { column: 'playlist_adds', page: 'Add to Playlist' },
  { column: 'friend_adds', page: 'Add Friend' },
  { column: 'adverts', page: 'Roll Advert' },
  { column: 'logouts', page: 'Logout' },
  { column: 'downgrade_visits', page: 'Downgrade' },
  { column: 'downgrades', page: 'Submit Downgrade' },
  { column: 'upgrade_visits', page: 'Upgrade' },
  { column: 'upgrades', page: 'Submit Upgrade' },
  { column: 'help_visits', page: 'Help' },
  { column: 'settings_visits', page: 'Settings' },
  { column: 'settings_saves', page: 'Save Settings' },
  { column: 'about_visits', page: 'About' },
  { column: 'errors', page: 'Error' },
  { column: 'cancel_visits', page: 'Cancel' },
  { column: 'cancellations', page: 'Cancellation Confirmation' },
] as const;

export const USER_DAYS = {
  name: 'user_days',
  format: 'iceberg',
  grain: 'user x UTC day',
  partitionedBy: ['day'],
  writtenBy: 'IngestEvents',
  columns: [
    column('day', 'date', 'UTC day'),
    column('user_id', 'string', 'user'),
    counter('events', 'events of the user on the day'),
    ...PAGE_COUNTERS.map(({ column: name, page }) => counter(name, `events on page ${page}`)),
    counter('paid_events', 'events while the subscription was paid'),
    counter('paid_songs', 'songs played while the subscription was paid'),
    column('song_seconds', 'double', 'sum of the lengths of the songs played'),
    counter('sessions', 'sessions with an event on the day (one that began the day before counts here too)'),
    column('session_seconds', 'double', 'time between first and last event of each session, within the day'),
    column('artist_sketch', 'binary', 'HyperLogLog sketch of the artists played (Apache DataSketches)'),
    column('first_event_at', 'timestamp_ntz', 'first event of the day'),
    column('last_event_at', 'timestamp_ntz', 'last event of the day'),
    column('first_session_id', 'bigint', 'session of the first event'),
    column('first_session_started_at', 'timestamp_ntz', "the first session's first event on the day"),
    column('first_session_ended_at', 'timestamp_ntz', "the first session's last event on the day"),
    column('last_session_id', 'bigint', 'session of the last event'),
    column('last_session_started_at', 'timestamp_ntz', "the last session's first event on the day"),
    column('last_session_ended_at', 'timestamp_ntz', "the last session's last event on the day"),
    column('level', 'string', 'subscription at the latest event'),
    column('gender', 'string', 'gender at the latest event'),
    column('location', 'string', 'metropolitan area and state at the latest event'),
    column('user_agent', 'string', 'user agent at the latest event'),
    column('registered_at', 'timestamp_ntz', 'registration at the latest event'),
  ],
} as const satisfies Table;

export const INGEST_FILES = {
  name: 'ingest_files',
  format: 'json',
  grain: 'file taken in (the ledger: written last, so its presence says that the batch is whole)',
  partitionedBy: [],
  writtenBy: 'IngestEvents',
  columns: [
    column('uri', 'string', 'file'),
    column('etag', 'string', 'entity tag of the file as it was read'),
    column('bytes', 'bigint', 'size of the file'),
    BATCH_ID,
    column('rows_read', 'bigint', 'rows read'),
    column('rows_accepted', 'bigint', 'rows that became events'),
    column('rows_quarantined', 'bigint', 'rows refused'),
    column('rows_duplicate', 'bigint', 'rows that were there already'),
  ],
} as const satisfies Table;

export const SCORES = {
  name: 'scores',
  format: 'iceberg',
  grain: 'living user x run',
  partitionedBy: ['run_id'],
  writtenBy: 'ScoreUsers',
  columns: [
    column('run_id', 'string', 'run that scored'),
    column('user_id', 'string', 'user'),
    column('cutoff', 'date', 'day before whose start everything was known (observationEnd)'),
    column('probability', 'double', 'calibrated probability to cancel within the horizon'),
    column('raw_score', 'double', "the model's uncalibrated score (log-odds), by which users are ranked"),
    column('decile', 'int', 'tenth of the users by score; 1 is the most at risk'),
    column('rank', 'bigint', 'rank by score; 1 is the most at risk'),
    column('level', 'string', 'subscription at the latest event'),
    column(
      'in_control_group',
      'boolean',
      'never to be contacted, so that the effect of contacting can be measured',
    ),
    column('reasons', 'array<string>', 'groups of features that raise the score most, strongest first'),
  ],
} as const satisfies Table;

export const MODEL_METRICS = {
  name: 'model_metrics',
  format: 'json',
  grain: 'run x model x protocol x slice x metric',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    column('run_id', 'string', 'run that measured'),
    column('model', 'string', 'candidate or baseline'),
    column('protocol', 'string', 'forward, or retrospective (leaky, for comparison only)'),
    column('slice', 'string', 'users it was measured on; "all" for everybody'),
    column('metric', 'string', 'which figure; psi.<column> is the drift of a feature or of raw_score'),
    column('value', 'double', 'its value'),
    column('low', 'double', 'lower bound of its 95 % interval; null where none was computed'),
    column('high', 'double', 'upper bound of its 95 % interval; null where none was computed'),
  ],
} as const satisfies Table;

export const RUNS = {
  name: 'runs',
  format: 'json',
  grain: 'run that ended',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    column('run_id', 'string', 'run'),
    column('status', 'string', 'SUCCEEDED or FAILED'),
    column('started_at', 'string', 'start, ISO 8601, UTC'),
    column('ended_at', 'string', 'end, ISO 8601, UTC'),
    BATCH_ID,
    column('rows_read', 'bigint', 'rows read'),
    column('rows_accepted', 'bigint', 'rows that became events'),
    column('rows_quarantined', 'bigint', 'rows refused'),
    column('rows_duplicate', 'bigint', 'rows that were there already'),
    column('users', 'bigint', 'users with a history'),
    column('cancellations', 'bigint', 'users who cancelled'),
    column('model', 'string', 'chosen model'),
    column('promoted', 'boolean', 'whether the model replaced the champion'),
    column('promotion_reason', 'string', 'why, or why not'),
    column('estimated_cost_usd', 'double', 'what the run was estimated to cost before it began'),
    column('cost_usd', 'double', 'what the run cost'),
    column(
      'spot_price_source',
      'string',
      'market, table, or market and table: where the prices of spot instances in it came from',
    ),
    column('error', 'string', 'what went wrong, where something did'),
  ],
} as const satisfies Table;

/** Every table with fixed columns. `features` is defined by the catalogue in features.ts. */
export const TABLES: readonly Table[] = [
  EVENTS,
  QUARANTINED_EVENTS,
  USER_DAYS,
  INGEST_FILES,
  SCORES,
  MODEL_METRICS,
  RUNS,
];

/** Full name under which Spark addresses an Iceberg table. */
export function sparkTableName(table: Pick<Table, 'name'>): string {
  return `${CATALOG}.${DATABASE}.${table.name}`;
}

/**
 * Where things lie below the root of the lake (a bucket in the cloud, a folder on one machine).
 * Every key ends without a slash; folders are named as such.
 */
export const KEYS = {
  /** Folder of the Iceberg tables: one folder a database, one a table. */
  warehouse: 'warehouse',
  /** Lease that only one living run can hold. */
  lease: 'lease.json',
  /** Marker of a batch that was planned and is not yet in the ledger. */
  pendingBatch: (batchId: string): string => `pending/${batchId}.json`,
  pendingFolder: 'pending',
  /** Ledger of the files of one batch. */
  ledger: (batchId: string): string => `tables/${INGEST_FILES.name}/${batchId}.json`,
  ledgerFolder: `tables/${INGEST_FILES.name}`,
  /** Metrics of one run. */
  metrics: (runId: string): string => `tables/${MODEL_METRICS.name}/${runId}.json`,
  metricsFolder: `tables/${MODEL_METRICS.name}`,
  /** Record of one run that ended. */
  runRecord: (runId: string): string => `tables/${RUNS.name}/${runId}.json`,
  runRecordsFolder: `tables/${RUNS.name}`,
  /** Pointer to the last run that succeeded, and to the model in charge. */
  current: 'current.json',
  /** Marker of when the sweep began to watch: what a pipeline that has never succeeded is measured from. */
  watchedSince: 'watched-since.json',
  /** Salted hashes of the users who asked to be forgotten. */
  forgottenUsers: 'forgotten-users.json',
  /** Folder of everything that one run writes. */
  run: (runId: string): string => `runs/${runId}`,
  plan: (runId: string): string => `runs/${runId}/plan.json`,
  result: (runId: string, step: string): string => `runs/${runId}/results/${step}.json`,
  error: (runId: string, step: string): string => `runs/${runId}/errors/${step}.json`,
  /** What store-metrics assembled for the report. */
  runDetail: (runId: string): string => `runs/${runId}/detail.json`,
  closed: (runId: string): string => `runs/${runId}/closed.json`,
  /** Marker of a start that was refused because another run lives: it ends badly and pages nobody. */
  refused: (runId: string): string => `runs/${runId}/refused.json`,
  report: (runId: string): string => `reports/${runId}.html`,
  model: (runId: string): string => `models/${runId}`,
} as const;
