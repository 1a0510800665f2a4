/**
 * The lake: its tables, their columns, the states that write them, and the tables' folders. All other objects of the
 * lake are in lake-objects.ts. The PySpark, the Glue tables, the local SQL engine and the docs are derived from here.
 */
import { CHURN_EVENT } from './events.ts';
import type { LambdaStateName, StepStateName } from './states.ts';

/** Name of the Spark catalog of all Iceberg tables, in the cloud and locally. */
export const CATALOG = 'lake';
/** Namespace of the tables of a local lake; a deployment has a database of its own, which the plan names. */
export const LOCAL_DATABASE = 'churn';
/** Iceberg format version: the newest that both EMR and Athena write and read. */
export const ICEBERG_FORMAT_VERSION = 2;
/** Branch on which a batch is staged before it is published to readers in one commit. */
export const STAGING_BRANCH = 'staging';

/** Column types, with their Spark SQL names; all of them exist in Iceberg and Athena too. */
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
  /** The raw column it is taken from, if any. */
  readonly from?: string;
}

/** The states that can write tables. */
export type Writer = StepStateName | LambdaStateName;

export interface Table {
  readonly name: string;
  /** `iceberg`: atomic commits; `json`: an external table with one JSON-lines object per batch or run. */
  readonly format: 'iceberg' | 'json';
  readonly grain: string;
  readonly partitionedBy: readonly string[];
  readonly writtenBy: Writer;
  readonly columns: readonly Column[];
}

const column = (name: string, type: ColumnType, meaning: string, from?: string): Column =>
  from === undefined ? { name, type, meaning } : { name, type, meaning, from };

const BATCH_ID = column('batch_id', 'string', 'batch that the row belongs to');

export const EVENTS = {
  name: 'events',
  format: 'iceberg',
  grain: 'event, typed, de-duplicated, without names of people',
  partitionedBy: ['event_date'],
  writtenBy: 'IngestEvents',
  columns: [
    column('event_date', 'date', 'UTC day of the event'),
    column('event_time', 'timestamp_ntz', 'time of the event, UTC', 'ts'),
    column('user_id', 'string', 'user; empty when no user is signed in', 'userId'),
    column('session_id', 'bigint', 'session; unique only together with the user', 'sessionId'),
    column('item_in_session', 'int', 'position of the event in its session', 'itemInSession'),
    column('page', 'string', 'page that was visited', 'page'),
    column('auth', 'string', 'whether a user was signed in', 'auth'),
    column('level', 'string', 'subscription at the time: free or paid', 'level'),
    column('method', 'string', 'HTTP method; null if it is none', 'method'),
    column('status', 'int', 'HTTP status', 'status'),
    column('artist', 'string', 'artist of the song played', 'artist'),
    column('song', 'string', 'title of the song played', 'song'),
    column('length_seconds', 'double', 'length of the song played', 'length'),
    column('gender', 'string', 'gender the user registered with; null if it is no word for one', 'gender'),
    column('location', 'string', 'metropolitan area and state', 'location'),
    column('user_agent', 'string', "the browser's user agent", 'userAgent'),
    column('registered_at', 'timestamp_ntz', 'when the user registered, UTC', 'registration'),
    column('source_file', 'string', 'file the row was read from'),
    BATCH_ID,
  ],
} as const satisfies Table;

export const REPEATED_EVENTS = {
  name: 'repeated_events',
  format: 'iceberg',
  grain:
    'event x file that repeats it: the copies that `events` does not hold, which return when it loses the event',
  partitionedBy: ['event_date'],
  writtenBy: 'IngestEvents',
  columns: EVENTS.columns,
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
    column(
      'line',
      'string',
      'what is kept of the line: values from a list, and what was found, as JSON; empty for a forgotten user',
    ),
    BATCH_ID,
  ],
} as const satisfies Table;

/** How long snapshots of the tables are kept: during this time a model's training data can be reproduced. */
export const SNAPSHOT_RETENTION_DAYS = 90;
/** How long quarantined rows are kept. */
export const QUARANTINE_RETENTION_DAYS = 30;

const counter = (name: string, meaning: string): Column => column(name, 'bigint', meaning);

/** Pages that user_days counts separately: column and page. Pages that only signed-out or new users visit are left out. */
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
  { column: 'cancellations', page: CHURN_EVENT.page },
] as const;

/** Pages that user_days counts once more while the subscription was paid: column and page. */
export const PAID_PAGE_COUNTERS = [
  { column: 'paid_songs', page: 'NextSong', meaning: 'songs played' },
  { column: 'paid_thumbs_up', page: 'Thumbs Up', meaning: 'thumbs up' },
  { column: 'paid_thumbs_down', page: 'Thumbs Down', meaning: 'thumbs down' },
  { column: 'paid_adverts', page: 'Roll Advert', meaning: 'adverts' },
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
    ...PAID_PAGE_COUNTERS.map(({ column: name, meaning }) =>
      counter(name, `${meaning} while the subscription was paid`),
    ),
    column(
      'active_hours',
      'int',
      'hours (UTC) with an event, as bits: 1 is the hour from 00:00, 2 that from 01:00, 4 that from 02:00',
    ),
    column('song_seconds', 'double', 'sum of the lengths of the songs played'),
    counter('sessions', 'sessions with an event on the day (including one that began the day before)'),
    column('session_seconds', 'double', 'time between first and last event of each session, within the day'),
    column('artist_sketch', 'binary', 'HyperLogLog sketch of the artists played (Apache DataSketches)'),
    column('last_cancelled_at', 'timestamp_ntz', 'last cancellation of the day; null if there was none'),
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

export const PAGE_DAYS = {
  name: 'page_days',
  format: 'iceberg',
  grain: 'UTC day x page x subscription x authentication: all events, those of nobody who is signed in too',
  // A few dozen rows a day: all of them are in one file, which is written again.
  partitionedBy: [],
  writtenBy: 'IngestEvents',
  columns: [
    column('day', 'date', 'UTC day'),
    column('page', 'string', 'page that was visited'),
    column('level', 'string', 'subscription at the time: free or paid; null where the row had none'),
    column('auth', 'string', 'whether a user was signed in'),
    counter('events', 'events of the day with this page, subscription and authentication'),
  ],
} as const satisfies Table;

export const INGEST_FILES = {
  name: 'ingest_files',
  format: 'json',
  grain: 'ingested file (the ledger: written last, so its presence shows that the batch is complete)',
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
    column('rows_duplicate', 'bigint', 'rows that were already in the lake'),
    column('rows_adapted', 'bigint', 'rows, accepted or duplicate, that were adapted'),
    column('adapted', 'string', 'JSON: by adaptation, the rows that had it'),
    column('passed_over', 'string', 'why the file was not read; empty for an event file'),
    column('rows_taken_away', 'bigint', 'rows of the former version of the file that left `events`'),
    column('first_day', 'string', 'UTC day of the first event in the file, YYYY-MM-DD'),
    column('last_day', 'string', 'UTC day of the last event in the file, YYYY-MM-DD'),
    column(
      'days',
      'string',
      'JSON: by UTC day, the number of events in the file, copies included, and a hash of them that their order does not change',
    ),
    column('taken_out', 'boolean', 'whether the file was taken out of the lake: then it has no rows'),
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
    column(
      'cutoff',
      'date',
      'scoring cutoff: everything before midnight (UTC) at the start of this day was known',
    ),
    column(
      'probability',
      'double',
      'calibrated probability that the user cancels within the horizon; null when it is withheld',
    ),
    column('raw_score', 'double', "the model's uncalibrated score (log-odds), by which users are ranked"),
    column(
      'decile',
      'int',
      'tenth of the users by score; 1 is the most at risk; null when no model is in charge',
    ),
    column('rank', 'bigint', 'rank by score; 1 is the most at risk; null when no model is in charge'),
    column('level', 'string', 'subscription at the latest event'),
    column(
      'in_control_group',
      'boolean',
      'never to be contacted, so that the effect of contacting can be measured',
    ),
    column(
      'horizon_end',
      'date',
      'midnight (UTC) that ends the horizon: from then on it is known who cancelled',
    ),
    column(
      'worth_contacting',
      'boolean',
      'whether a contact is expected to pay: outside the control group, the list; null without one',
    ),
    column(
      'reasons',
      'array<string>',
      'what raises the score most, strongest first; empty when nothing stands out, null when not asked',
    ),
    column(
      'reason_details',
      'string',
      'JSON: of each reason feature, group, value, typical value, direction and rise of the score',
    ),
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
    column('model', 'string', "candidate or baseline; champion for the champion on the run's test rows"),
    column('protocol', 'string', 'forward, or retrospective (leaky, for comparison only)'),
    column(
      'slice',
      'string',
      'test users on which it was measured: "all", or a part of them, as level=paid or segment=2 (segments by number, the largest first); of the retrospective protocol test or whole, "_reweighted" as if 56 % had cancelled',
    ),
    column(
      'metric',
      'string',
      'name of the metric; psi.<column> is the drift of a feature or of raw_score, money.<figure> what model and list are worth; of a slice auc, users, cancelled, cancellation_rate, predicted, predicted_over_observed, and only users where they are too few',
    ),
    column('value', 'double', 'its value'),
    column('low', 'double', 'lower bound of its 95 % interval; null if none was computed'),
    column('high', 'double', 'upper bound of its 95 % interval; null if none was computed'),
  ],
} as const satisfies Table;

export const OUTCOMES = {
  name: 'outcomes',
  format: 'json',
  grain: 'run whose horizon has passed x part of its users: what came true of its scores, counted once',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    column('run_id', 'string', 'run that scored'),
    column('cutoff', 'string', 'its scoring cutoff, YYYY-MM-DD'),
    column('horizon_end', 'string', 'midnight (UTC) that ends its horizon, YYYY-MM-DD'),
    column('measured_by', 'string', 'run that counted what came true'),
    column(
      'part',
      'string',
      'all; decile; list; or control: the control users who would have been on the list',
    ),
    column('decile', 'int', 'which tenth; 1 was the most at risk; null in other parts'),
    column('users', 'bigint', 'users that were scored'),
    column('predicted', 'double', 'sum of their probabilities; null where these were withheld'),
    column('observed', 'bigint', 'users who cancelled within the horizon'),
    column(
      'effect',
      'double',
      'of the list: share of the control users who cancelled minus share of the list, whoever was contacted',
    ),
    column('effect_low', 'double', 'lower bound of its 95 % interval'),
    column('effect_high', 'double', 'upper bound of its 95 % interval'),
    column(
      'smallest_effect',
      'double',
      'smallest effect that would have been found in 80 of 100 cases; null where none would',
    ),
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
    column('rows_duplicate', 'bigint', 'rows that were already in the lake'),
    column('users', 'bigint', 'users with a history'),
    column('cancellations', 'bigint', 'users who cancelled'),
    column('model', 'string', 'model that scored'),
    column('promoted', 'boolean', 'whether the model replaced the champion'),
    column('promotion_reason', 'string', 'why, or why not'),
    column('estimated_cost_usd', 'double', 'cost of the run in USD as estimated before it began'),
    column('cost_usd', 'double', 'cost of the run in USD'),
    column(
      'spot_price_source',
      'string',
      'market, table, or market and table: source of the prices of spot instances in cost_usd',
    ),
    column('error', 'string', 'what went wrong, if the run failed'),
  ],
} as const satisfies Table;

const ABOUT_RUN = column('run_id', 'string', 'run that found it');
const RATE_INTERVAL = [
  column('low', 'double', 'lower bound of the 95 % interval of the share'),
  column('high', 'double', 'upper bound of the 95 % interval of the share'),
];

export const SEGMENTS = {
  name: 'segments',
  format: 'json',
  grain: 'run x segment of users who behave alike x channel by which they are told apart',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    ABOUT_RUN,
    column(
      'segment',
      'bigint',
      'number, from 1, the largest first; model_metrics has it as segment=<number>',
    ),
    column('name', 'string', 'what is unlike the other users'),
    column('size', 'double', 'share of the users'),
    column('free_hazard', 'double', 'share of its training rows that cancel within the horizon while free'),
    column('paid_hazard', 'double', 'share of its training rows that cancel within the horizon while paying'),
    column('channel', 'string', 'events per exposure that are counted'),
    column('rate', 'double', 'events per exposure in the segment'),
    column('usual_rate', 'double', 'events per exposure of all users'),
  ],
} as const satisfies Table;

export const EXPLORATION = {
  name: 'exploration',
  format: 'json',
  grain: 'run x figure of users who cancelled beside those who stayed, over their whole histories',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    ABOUT_RUN,
    column(
      'kind',
      'string',
      'group: users with a value; measure: a quantile among the users; page: visits per hour of use; weekday: share of the events; hour: share of the hours (UTC) with an event',
    ),
    column(
      'name',
      'string',
      'variable, measure, column of user_days that counts the page, day of the week, or hour from 0 to 23',
    ),
    column(
      'value',
      'string',
      'value of the variable, or the quantile; null for pages, days of the week and hours',
    ),
    column('churned', 'double', 'the figure of users who cancelled; of a group, how many they are'),
    column('stayed', 'double', 'the figure of users who stayed; of a group, how many they are'),
    column('rate', 'double', 'share of a group that cancelled; null for what is no group'),
    ...RATE_INTERVAL,
  ],
} as const satisfies Table;

export const SURVIVAL = {
  name: 'survival',
  format: 'json',
  grain: 'run x group of users x day since registration on which one of them cancelled',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    ABOUT_RUN,
    column(
      'variable',
      'string',
      'how users are divided: all, level at first sight, or joined: the week of joining',
    ),
    column('value', 'string', 'the group'),
    column('users', 'bigint', 'users of the group'),
    column('day', 'bigint', 'days since registration'),
    column('at_risk', 'bigint', 'users who are seen and have not cancelled before this day'),
    column('cancelled', 'bigint', 'users who cancel on this day'),
    column('survival', 'double', 'share that is still there: Kaplan-Meier with delayed entry'),
    ...RATE_INTERVAL,
  ],
} as const satisfies Table;

export const HAZARDS = {
  name: 'hazards',
  format: 'json',
  grain: 'run x part of the days of users: how likely a user is to cancel on such a day',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    ABOUT_RUN,
    column(
      'variable',
      'string',
      'how days are divided: weekday (UTC), or level_change: days since the last upgrade or downgrade',
    ),
    column('value', 'string', 'day of the week, or band of days'),
    column('users', 'bigint', 'users who were at risk on such a day'),
    column(
      'days',
      'bigint',
      'days at risk, a day for each user: all days of a spell up to the one of the cancellation',
    ),
    column('cancelled', 'bigint', 'of these days, those on which the user cancelled'),
    column('hazard', 'double', 'cancelled / days; null without a day'),
    column('low', 'double', 'lower bound of its 95 % interval (Poisson)'),
    column('high', 'double', 'upper bound of its 95 % interval (Poisson)'),
  ],
} as const satisfies Table;

export const HOMOGENEITY = {
  name: 'homogeneity',
  format: 'json',
  grain: 'run x sample of the users x column in which it is compared with all other users',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    ABOUT_RUN,
    column(
      'sample',
      'string',
      'one_percent of the users, or medium_set: as many as the published set has; without rows where it was not tested',
    ),
    column('users', 'bigint', 'users of the sample'),
    column('others', 'bigint', 'users it is compared with'),
    column('cancelled', 'bigint', 'users of the sample who cancelled within the horizon'),
    column('feature', 'string', 'column of features; label is whether they cancelled'),
    column('test', 'string', 'kolmogorov_smirnov, chi_square or fisher_exact'),
    column(
      'distance',
      'double',
      'effect size, from 0 to 1: how far the cumulative shares, or the shares of yes, are apart',
    ),
    column('p_value', 'double', 'chance of such a distance or a larger one if the sample is like the others'),
    column('adjusted_p_value', 'double', 'p_value corrected for all columns of the sample (Holm)'),
    column(
      'smallest_found',
      'double',
      'smallest distance that would have been found in 80 of 100 cases; null where none would',
    ),
  ],
} as const satisfies Table;

export const DRIVERS = {
  name: 'drivers',
  format: 'json',
  grain: 'run x feature, or group of features, that the chosen model uses',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    ABOUT_RUN,
    column('model', 'string', 'the chosen model'),
    column('kind', 'string', 'feature or group'),
    column(
      'name',
      'string',
      'column of features, or group; of a channel of segments, the column of its count',
    ),
    column('fall', 'double', 'by how much the AUC on test users falls when values are dealt to other users'),
    column('low', 'double', 'the least fall of the deals'),
    column('high', 'double', 'the largest fall of the deals'),
    column(
      'correlation',
      'double',
      'rank correlation of the value with the score; null for groups, and where all have the same value',
    ),
  ],
} as const satisfies Table;

export const FEATURE_RANGES = {
  name: 'feature_ranges',
  format: 'json',
  grain: 'run x leading feature x band of its range, of the test users',
  partitionedBy: [],
  writtenBy: 'StoreMetrics',
  columns: [
    ABOUT_RUN,
    column('feature', 'string', 'column of features; of a channel of segments, the column of its count'),
    column('band', 'bigint', 'number, from 1, the lowest values first; users who lack the value last'),
    column(
      'lowest',
      'double',
      'lowest value in the band (of a channel, events per exposure); null where it is missing',
    ),
    column('highest', 'double', 'highest value in the band; null where it is missing'),
    column('users', 'bigint', 'test users in the band'),
    column('cancelled', 'bigint', 'of them, who cancelled within the horizon'),
    column('predicted', 'double', 'cancellations that the probabilities of the chosen model add up to'),
    column('rate', 'double', 'share that cancelled'),
    ...RATE_INTERVAL,
  ],
} as const satisfies Table;

/** What a run has found out about users and about its model. */
export const EVIDENCE_TABLES = [
  SEGMENTS,
  EXPLORATION,
  SURVIVAL,
  HAZARDS,
  HOMOGENEITY,
  DRIVERS,
  FEATURE_RANGES,
] as const;
export type EvidenceTableName = (typeof EVIDENCE_TABLES)[number]['name'];

/** Every table with fixed columns. `features` is defined by the feature catalogue. */
export const TABLES: readonly Table[] = [
  EVENTS,
  REPEATED_EVENTS,
  QUARANTINED_EVENTS,
  USER_DAYS,
  PAGE_DAYS,
  INGEST_FILES,
  SCORES,
  MODEL_METRICS,
  OUTCOMES,
  RUNS,
  ...EVIDENCE_TABLES,
];

/** Folder of the Iceberg tables, below the root of the lake: one folder a database, one a table. */
export const WAREHOUSE = 'warehouse';
/** Folder of the external tables: one folder a table. */
export const EXTERNAL_TABLES = 'tables';

/** Folder of a database, below the root of the lake. Folders have no slash at the end. */
export function databaseFolder(database: string): string {
  return `${WAREHOUSE}/${database}`;
}

/** Folder of an Iceberg table of a database, below the root of the lake. */
export function icebergTableFolder(database: string, { name }: Pick<Table, 'name'>): string {
  return `${databaseFolder(database)}/${name}`;
}

/** Folder of an external table, below the root of the lake. */
export function externalTableFolder({ name }: Pick<Table, 'name'>): string {
  return `${EXTERNAL_TABLES}/${name}`;
}
