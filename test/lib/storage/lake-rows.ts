/**
 * Rows of a small lake, for the queries that Athena is given: beside every row that a query should find lies one that
 * a wrong join or filter would take for it. run-2 is the last run that succeeded, and the failed run-3 is later.
 */
import { type DuckDBValue, listValue } from '@duckdb/node-api';
import { driftMetric } from '../../../domain/drift-thresholds.ts';
import { FEATURES_TABLE, SCORING_FEATURES_TABLE } from '../../../domain/features/features-table.ts';
import {
  DRIVERS,
  EVENTS,
  EXPLORATION,
  FEATURE_RANGES,
  HAZARDS,
  HOMOGENEITY,
  INGEST_FILES,
  MODEL_METRICS,
  OUTCOMES,
  PAGE_DAYS,
  QUARANTINED_EVENTS,
  RUNS,
  SCORES,
  SEGMENTS,
  SURVIVAL,
  type Table,
  USER_DAYS,
} from '../../../domain/lake.ts';
import type { RunRecord } from '../../../domain/records.ts';

/** Values by column; columns that are left out are null. */
export type Row = Readonly<Record<string, DuckDBValue>>;

export interface TableRows {
  readonly table: Table;
  readonly rows: readonly Row[];
}

const run = (record: Pick<RunRecord, 'run_id' | 'status' | 'ended_at'> & Partial<RunRecord>): Row => record;

const RUN_ROWS = [
  // Its figures are gone.
  run({ run_id: 'run-0', status: 'SUCCEEDED', ended_at: '2018-11-19T05:00:00.000Z', model: 'random_forest' }),
  run({
    run_id: 'run-1',
    status: 'SUCCEEDED',
    ended_at: '2018-11-26T05:00:00.000Z',
    model: 'logistic_regression',
    promoted: true,
    promotion_reason: 'there is no champion yet',
    cost_usd: 1.5,
  }),
  run({
    run_id: 'run-3',
    status: 'FAILED',
    ended_at: '2018-12-10T05:00:00.000Z',
    model: 'random_forest',
    error: 'ScoreUsers: the disk was full',
  }),
  run({
    run_id: 'run-2',
    status: 'SUCCEEDED',
    ended_at: '2018-12-03T05:00:00.000Z',
    model: 'boosted_trees',
    promoted: false,
    promotion_reason: 'no better than the champion',
    cost_usd: 2.5,
  }),
];

const figure = (metric: string, value: number, more: Row = {}): Row => ({
  run_id: 'run-2',
  model: 'boosted_trees',
  protocol: 'forward',
  slice: 'all',
  metric,
  value,
  ...more,
});

const FIGURE_ROWS = [
  figure('auc', 0.76),
  figure('average_precision_ratio', 3.6),
  figure('lift_at_10', 3.5),
  figure('brier_skill', 0.07),
  // Higher than the figure that counts, so that a maximum over too many rows shows.
  figure('auc', 0.81, { model: 'random_forest' }),
  figure('auc', 0.93, { protocol: 'retrospective' }),
  figure('auc', 0.88, { slice: 'level=paid' }),
  figure('lift_at_10', 9.9, { run_id: 'run-1' }),
  figure('lift_at_5', 4.1),
  figure(driftMetric('raw_score'), 0.06),
  figure(driftMetric('tenure_days'), 0.31),
  figure(driftMetric('tenure_days'), 0.02, { run_id: 'run-1', model: 'logistic_regression' }),
  figure(driftMetric('raw_score'), 0.77, { run_id: 'run-3' }),
];

const score = (userId: string, rank: number, more: Row = {}): Row => ({
  run_id: 'run-2',
  user_id: userId,
  cutoff: '2018-12-03',
  probability: 0.5,
  raw_score: 0,
  decile: 1,
  rank,
  level: 'paid',
  in_control_group: false,
  reasons: listValue(['habit']),
  ...more,
});

const SCORE_ROWS = [
  score('loyal', 3, { probability: 0.02, decile: 9, level: 'free' }),
  score('at-risk', 1, {
    probability: 0.61,
    reasons: listValue([
      '4 visits to Downgrade in 7 days, typically 0',
      '2 adverts per free song, typically 0.1',
    ]),
  }),
  score('in-control-group', 2, { in_control_group: true }),
  score('at-risk-a-week-ago', 1, { run_id: 'run-1' }),
  score('scored-by-a-failed-run', 1, { run_id: 'run-3' }),
];

const day = (date: string, userId: string, level: string, cancellations = 0): Row => ({
  day: date,
  user_id: userId,
  level,
  cancellations,
});

const DAY_ROWS = [
  day('2018-12-02', 'a', 'paid'),
  day('2018-12-02', 'b', 'paid', 1),
  day('2018-12-02', 'c', 'paid'),
  day('2018-12-02', 'd', 'paid'),
  day('2018-12-02', 'e', 'free'),
  day('2018-12-01', 'b', 'free'),
];

const PAGE_ROWS = [
  { day: '2018-12-02', page: 'Register', level: 'free', auth: 'Guest', events: 3 },
  { day: '2018-12-01', page: 'Home', level: 'paid', auth: 'Logged In', events: 7 },
  { day: '2018-12-01', page: 'Home', level: 'free', auth: 'Logged Out', events: 2 },
];

const refused = (ingestDate: string, reason: string, sourceFile: string, batchId = 'batch-2'): Row => ({
  ingest_date: ingestDate,
  reason,
  source_file: sourceFile,
  line: '{',
  batch_id: batchId,
});

const REFUSED_ROWS = [
  refused('2018-12-03', 'unknown_page', 's3://raw/events/b.json'),
  refused('2018-12-03', 'malformed_json', 's3://raw/events/b.json'),
  refused('2018-12-03', 'malformed_json', 's3://raw/events/a.json'),
  refused('2018-11-26', 'malformed_json', 's3://raw/events/old.json', 'batch-1'),
];

const event = (userId: string, time: string, item: number, page: string, more: Row = {}): Row => ({
  event_date: time.slice(0, 10),
  event_time: time,
  user_id: userId,
  session_id: 7,
  item_in_session: item,
  page,
  level: 'paid',
  status: 200,
  batch_id: 'batch-2',
  ...more,
});

const EVENT_ROWS = [
  event('at-risk', '2018-12-02 10:00:03', 2, 'Thumbs Down', { status: 307 }),
  event('loyal', '2018-12-02 10:00:01', 0, 'Home'),
  event('at-risk', '2018-12-02 10:00:03', 4, 'Help', { session_id: 6 }),
  event('at-risk', '2018-12-02 10:00:03', 1, 'NextSong', { artist: 'Björk', song: 'Jóga' }),
  event('at-risk', '2018-11-20 09:00:00', 5, 'Home', { session_id: 3, batch_id: 'batch-1' }),
];

const ledgered = (batchId: string, read: number, accepted: number): Row => ({
  uri: `s3://raw/events/${batchId}-${read}.json`,
  etag: '"1"',
  bytes: 100,
  batch_id: batchId,
  rows_read: read,
  rows_accepted: accepted,
  rows_quarantined: read - accepted - 1,
  rows_duplicate: 1,
});

const LEDGER_ROWS = [ledgered('batch-1', 1_000, 900), ledgered('batch-2', 5, 2), ledgered('batch-2', 3, 1)];

const FEATURE_ROWS = ['2018-11-12', '2018-11-19'].map((cutoff) => ({ user_id: 'at-risk', cutoff, label: 0 }));

/** Of run-1: run-2, which is later, has not trained; run-3 has failed. */
const found = (row: Row, others: Row): readonly Row[] => [
  { run_id: 'run-0', ...row, ...others },
  { run_id: 'run-1', ...row },
  { run_id: 'run-3', ...row, ...others },
];

const SEGMENT_ROWS = [
  ...found({ segment: 2, name: 'dislikes', channel: 'thumbs down per song', rate: 0.03 }, { rate: 0.9 }),
  { run_id: 'run-1', segment: 1, name: 'like most users', channel: 'thumbs down per song', rate: 0.01 },
];
const EXPLORATION_ROWS = [
  ...found({ kind: 'group', name: 'level', value: 'free', churned: 3, stayed: 7, rate: 0.3 }, { rate: 0.9 }),
  { run_id: 'run-1', kind: 'group', name: 'level', value: 'paid', churned: 5, stayed: 5, rate: 0.5 },
  { run_id: 'run-1', kind: 'page', name: 'help_visits', churned: 0.1, stayed: 0.2 },
  { run_id: 'run-1', kind: 'hour', name: '23', churned: 0.06, stayed: 0.04 },
  { run_id: 'run-0', kind: 'hour', name: '23', churned: 0.5, stayed: 0.5 },
];
const SURVIVAL_ROWS = [
  ...found(
    { variable: 'all', value: 'all', day: 9, at_risk: 20, cancelled: 1, survival: 0.9 },
    { survival: 0.1 },
  ),
  { run_id: 'run-1', variable: 'all', value: 'all', day: 2, at_risk: 25, cancelled: 1, survival: 0.96 },
];
const HAZARD_ROWS = [
  ...found(
    { variable: 'weekday', value: 'Sunday', users: 90, days: 400, cancelled: 2, hazard: 0.005 },
    { hazard: 0.9 },
  ),
  {
    ...{ run_id: 'run-1', variable: 'weekday', value: 'Monday', users: 95, days: 400, cancelled: 4 },
    ...{ hazard: 0.01, low: 0.003, high: 0.026 },
  },
  { run_id: 'run-1', variable: 'level_change', value: 'same day', users: 0, days: 0, cancelled: 0 },
];
const HOMOGENEITY_ROWS = [
  ...found(
    {
      ...{ sample: 'one_percent', users: 60, others: 5_940, feature: 'is_paid', test: 'chi_square' },
      ...{ distance: 0.03, p_value: 0.3, adjusted_p_value: 1, smallest_found: 0.2 },
    },
    { p_value: 0.001 },
  ),
  {
    ...{ run_id: 'run-1', sample: 'one_percent', users: 60, others: 5_940, feature: 'label' },
    ...{ test: 'fisher_exact', distance: 0.05, p_value: 0.04, adjusted_p_value: 0.08 },
  },
];
const DRIVER_ROWS = [
  ...found(
    { model: 'segments', kind: 'feature', name: 'is_paid', fall: 0.01, correlation: -0.3 },
    { fall: 0.9 },
  ),
  { run_id: 'run-1', model: 'segments', kind: 'feature', name: 'tenure_days', fall: 0.02, correlation: -0.2 },
  { run_id: 'run-1', model: 'segments', kind: 'group', name: 'tenure', fall: 0.03 },
];
const RANGE_ROWS = [
  ...found(
    { feature: 'is_paid', band: 2, lowest: 1, highest: 1, users: 60, cancelled: 3, rate: 0.05 },
    { users: 1 },
  ),
  { run_id: 'run-1', feature: 'is_paid', band: 1, lowest: 0, highest: 0, users: 40, cancelled: 4, rate: 0.1 },
];

const outcome = (
  part: string,
  users: number,
  predicted: number | null,
  observed: number,
  more: Row = {},
): Row => ({
  ...{ run_id: 'run-0', cutoff: '2018-11-19', horizon_end: '2018-12-03', measured_by: 'run-2' },
  ...{ part, users, predicted, observed },
  ...more,
});

const OUTCOME_ROWS = [
  outcome('control', 10, 2.5, 4),
  outcome('list', 90, 24, 20, { effect: 0.17, effect_low: -0.08, effect_high: 0.47 }),
  outcome('decile', 50, 20, 21, { decile: 2 }),
  outcome('decile', 50, 30, 0, { decile: 1 }),
  outcome('all', 800, null, 41, { run_id: 'run-1', cutoff: '2018-11-26' }),
];

export const LAKE_ROWS: readonly TableRows[] = [
  { table: EVENTS, rows: EVENT_ROWS },
  { table: QUARANTINED_EVENTS, rows: REFUSED_ROWS },
  { table: USER_DAYS, rows: DAY_ROWS },
  { table: PAGE_DAYS, rows: PAGE_ROWS },
  { table: INGEST_FILES, rows: LEDGER_ROWS },
  { table: FEATURES_TABLE, rows: FEATURE_ROWS },
  { table: SCORING_FEATURES_TABLE, rows: [{ user_id: 'at-risk', cutoff: '2018-12-03' }] },
  { table: SCORES, rows: SCORE_ROWS },
  { table: MODEL_METRICS, rows: FIGURE_ROWS },
  { table: OUTCOMES, rows: OUTCOME_ROWS },
  { table: RUNS, rows: RUN_ROWS },
  { table: SEGMENTS, rows: SEGMENT_ROWS },
  { table: EXPLORATION, rows: EXPLORATION_ROWS },
  { table: SURVIVAL, rows: SURVIVAL_ROWS },
  { table: HAZARDS, rows: HAZARD_ROWS },
  { table: HOMOGENEITY, rows: HOMOGENEITY_ROWS },
  { table: DRIVERS, rows: DRIVER_ROWS },
  { table: FEATURE_RANGES, rows: RANGE_ROWS },
];
