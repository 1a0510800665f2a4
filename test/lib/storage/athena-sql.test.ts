/** The SQL that Athena is given: right in its dialect, about columns that exist, and it finds what it should. */
import { type DuckDBConnection, DuckDBInstance, type Json } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ColumnType, Table } from '../../../domain/lake.ts';
import { NAMED_QUERIES } from '../../../domain/named-queries.ts';
import { RECONCILE_VALUES, type ReconcileValue, reconcileQuery } from '../../../domain/reconcile.ts';
import { checkedSql, QUERIED_TABLES } from '../../support/athena-sql.ts';
import { LAKE_ROWS, type Row } from './lake-rows.ts';

const DUCKDB_TYPES: Partial<Record<ColumnType, string>> = {
  timestamp_ntz: 'TIMESTAMP',
  'array<string>': 'VARCHAR[]',
  binary: 'BLOB',
  string: 'VARCHAR',
};

const RECONCILED = { batchId: 'batch-2', runId: 'run-2' } as const satisfies Record<ReconcileValue, string>;
const queries = new Map([
  ...NAMED_QUERIES.map(({ name, sql }): [string, string] => [name, sql]),
  [
    'reconcile',
    RECONCILE_VALUES.reduce((sql, value) => sql.replace('{}', RECONCILED[value]), reconcileQuery()),
  ],
]);

/** What each query finds among the rows of the fixture: its columns, then row after row. SQL's bigint comes as text. */
const ANSWERS: Readonly<Record<string, readonly (readonly Json[])[]>> = {
  'users-at-risk-now': [
    ['user_id', 'probability', 'decile', 'level', 'reasons'],
    [
      'at-risk',
      0.61,
      1,
      'paid',
      '4 visits to Downgrade in 7 days, typically 0; 2 adverts per free song, typically 0.1',
    ],
    ['loyal', 0.02, 9, 'free', 'habit'],
  ],
  'model-history': [
    [
      ...['ended_at', 'run_id', 'model', 'promoted', 'promotion_reason', 'cost_usd'],
      ...['auc', 'average_precision_ratio', 'lift_at_10', 'brier_skill'],
      ...['calibration_error', 'calibration_slope'],
    ],
    [
      ...['2018-12-03T05:00:00.000Z', 'run-2', 'boosted_trees', false, 'no better than the champion', 2.5],
      ...[0.76, 3.6, 3.5, 0.07, null, null],
    ],
    [
      ...['2018-11-26T05:00:00.000Z', 'run-1', 'logistic_regression', true, 'there is no champion yet', 1.5],
      ...[null, null, null, null, null, null],
    ],
    ['2018-11-19T05:00:00.000Z', 'run-0', 'random_forest', ...Array.from({ length: 9 }, () => null)],
  ],
  'drift-history': [
    ['ended_at', 'run_id', 'column_name', 'population_stability_index'],
    ['2018-12-03T05:00:00.000Z', 'run-2', 'tenure_days', 0.31],
    ['2018-12-03T05:00:00.000Z', 'run-2', 'raw_score', 0.06],
    ['2018-11-26T05:00:00.000Z', 'run-1', 'tenure_days', 0.02],
  ],
  'model-by-part-of-the-users': [
    ['model', 'slice', 'metric', 'value', 'low', 'high'],
    ['boosted_trees', 'level=paid', 'auc', 0.88, null, null],
  ],
  'what-drives-the-model': [
    ['model', 'kind', 'name', 'fall', 'low', 'high', 'correlation'],
    ['segments', 'group', 'tenure', 0.03, null, null, null],
    ['segments', 'feature', 'tenure_days', 0.02, null, null, -0.2],
    ['segments', 'feature', 'is_paid', 0.01, null, null, -0.3],
  ],
  'churn-across-features': [
    ['feature', 'band', 'lowest', 'highest', 'users', 'cancelled', 'rate', 'low', 'high', 'predicted'],
    ['is_paid', '1', 0, 0, '40', '4', 0.1, null, null, null],
    ['is_paid', '2', 1, 1, '60', '3', 0.05, null, null, null],
  ],
  'segments-now': [
    ['segment', 'name', 'size', 'free_hazard', 'paid_hazard', 'channel', 'rate', 'usual_rate'],
    ['1', 'like most users', null, null, null, 'thumbs down per song', 0.01, null],
    ['2', 'dislikes', null, null, null, 'thumbs down per song', 0.03, null],
  ],
  'who-leaves': [
    ['variable', 'value', 'churned', 'stayed', 'rate', 'low', 'high'],
    ['level', 'paid', 5, 5, 0.5, null, null],
    ['level', 'free', 3, 7, 0.3, null, null],
  ],
  'what-users-did': [
    ['kind', 'name', 'value', 'churned', 'stayed'],
    ['hour', '23', null, 0.06, 0.04],
    ['page', 'help_visits', null, 0.1, 0.2],
  ],
  'how-long-users-stay': [
    ['variable', 'value', 'day', 'at_risk', 'cancelled', 'survival', 'low', 'high'],
    ['all', 'all', '2', '25', '1', 0.96, null, null],
    ['all', 'all', '9', '20', '1', 0.9, null, null],
  ],
  'on-which-days-users-leave': [
    ['variable', 'value', 'users', 'days', 'cancelled', 'hazard', 'low', 'high'],
    ['level_change', 'same day', '0', '0', '0', null, null, null],
    ['weekday', 'Monday', '95', '400', '4', 0.01, 0.003, 0.026],
    ['weekday', 'Sunday', '90', '400', '2', 0.005, null, null],
  ],
  'is-a-sample-enough': [
    [
      ...['sample', 'users', 'others', 'feature', 'test', 'distance', 'p_value', 'adjusted_p_value'],
      'smallest_found',
    ],
    ['one_percent', '60', '5940', 'label', 'fisher_exact', 0.05, 0.04, 0.08, null],
    ['one_percent', '60', '5940', 'is_paid', 'chi_square', 0.03, 0.3, 1, 0.2],
  ],
  'what-came-true': [
    [
      ...['cutoff', 'run_id', 'part', 'decile', 'users', 'predicted', 'observed', 'predicted_over_observed'],
      ...['effect', 'effect_low', 'effect_high', 'smallest_effect'],
    ],
    ['2018-11-26', 'run-1', 'all', null, '800', null, '41', null, null, null, null, null],
    ['2018-11-19', 'run-0', 'control', null, '10', 2.5, '4', 0.625, null, null, null, null],
    ['2018-11-19', 'run-0', 'decile', 1, '50', 30, '0', null, null, null, null, null],
    ['2018-11-19', 'run-0', 'decile', 2, '50', 20, '21', 20 / 21, null, null, null, null],
    ['2018-11-19', 'run-0', 'list', null, '90', 24, '20', 1.2, 0.17, -0.08, 0.47, null],
  ],
  'pages-by-day': [
    ['day', 'page', 'events', 'signed_out_events'],
    ['2018-12-01', 'Home', '9', '2'],
    ['2018-12-02', 'Register', '3', '3'],
  ],
  'churn-by-day-and-level': [
    ['day', 'level', 'active_users', 'cancellations', 'share_cancelled'],
    ['2018-12-01', 'free', '1', '0', 0],
    ['2018-12-02', 'free', '1', '0', 0],
    ['2018-12-02', 'paid', '4', '1', 0.25],
  ],
  'quarantine-by-reason': [
    ['ingest_date', 'reason', 'refused_rows', 'example_file'],
    ['2018-12-03', 'malformed_json', '2', 's3://raw/events/a.json'],
    ['2018-12-03', 'unknown_page', '1', 's3://raw/events/b.json'],
    ['2018-11-26', 'malformed_json', '1', 's3://raw/events/old.json'],
  ],
  'journey-of-a-user': [
    ['event_time', 'session_id', 'item_in_session', 'page', 'level', 'artist', 'song', 'status'],
    ['2018-11-20 09:00:00', '3', 5, 'Home', 'paid', null, null, 200],
    ['2018-12-02 10:00:03', '6', 4, 'Help', 'paid', null, null, 200],
    ['2018-12-02 10:00:03', '7', 1, 'NextSong', 'paid', 'Björk', 'Jóga', 200],
    ['2018-12-02 10:00:03', '7', 2, 'Thumbs Down', 'paid', null, null, 307],
  ],
  reconcile: [
    ['table_name', 'row_count'],
    ['events', '4'],
    ['events.all', '5'],
    ['page_days', '12'],
    ['quarantined_events', '3'],
    ['ingest_files.rows_read', '8'],
    ['ingest_files.rows_accepted', '3'],
    ['ingest_files.rows_quarantined', '3'],
    ['ingest_files.rows_duplicate', '2'],
    ['features', '2'],
    ['scoring_features', '1'],
    ['scores', '3'],
  ],
};
/** User whose events are asked for. */
const ASKED_FOR = 'at-risk';

async function createTable(connection: DuckDBConnection, { name, columns }: Table): Promise<void> {
  const definitions = columns.map((column) => `"${column.name}" ${DUCKDB_TYPES[column.type] ?? column.type}`);
  await connection.run(`CREATE TABLE ${name} (${definitions.join(', ')})`);
}

async function insert(connection: DuckDBConnection, { name }: Table, row: Row): Promise<void> {
  const columns = Object.keys(row).map((column) => `"${column}"`);
  const places = columns.map(() => '?');
  await connection.run(
    `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${places.join(', ')})`,
    Object.values(row),
  );
}

describe('in Athena’s dialect', () => {
  let answers: ReturnType<typeof checkedSql>;
  beforeAll(() => {
    answers = checkedSql(queries);
  });

  test.each([...queries.keys()])('%s names tables and columns that exist', (name) => {
    expect(answers[name]).toEqual({ sql: expect.any(String) });
  });

  describe('over rows', () => {
    let connection: DuckDBConnection;
    beforeAll(async () => {
      connection = await (await DuckDBInstance.create(':memory:')).connect();
      for (const table of QUERIED_TABLES) await createTable(connection, table);
      for (const { table, rows } of LAKE_ROWS) {
        for (const row of rows) await insert(connection, table, row);
      }
    });
    afterAll(() => connection.closeSync());

    test.each([...queries.keys()])('%s finds what it should, and nothing else', async (name) => {
      const statement = await connection.prepare(answers[name]?.sql ?? '');
      for (let parameter = 1; parameter <= statement.parameterCount; parameter += 1)
        statement.bindVarchar(parameter, ASKED_FOR);
      const found = await statement.runAndReadAll();
      expect([found.columnNames(), ...found.getRowsJson()]).toEqual(ANSWERS[name]);
    });
  });
});

test('a column that is not there is noticed', () => {
  const answers = checkedSql(
    new Map([
      ['wrong column', 'SELECT user_name FROM events'],
      ['wrong table', 'SELECT 1 FROM visits'],
      ['wrong words', 'SELEC user_id FROM events'],
    ]),
  );
  expect(Object.values(answers).map(({ error }) => error)).toEqual([
    expect.stringContaining('user_name'),
    expect.stringContaining('visits'),
    expect.any(String),
  ]);
});
