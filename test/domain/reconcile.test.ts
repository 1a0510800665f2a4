import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { TABLES } from '../../domain/lake.ts';
import { expectedCounts, RECONCILE_VALUES, reconcileQuery } from '../../domain/reconcile.ts';
import { FEATURES, INGEST, SCORING } from '../support/run-fixture.ts';

const VALUES = { batchId: '00aa11bb22cc33dd', runId: 'run-1' };

/** The query as States.Format fills it in. */
function formatted(): string {
  const values = RECONCILE_VALUES.map((value) => VALUES[value]);
  return reconcileQuery().replaceAll('{}', () => values.shift() ?? 'too few values');
}

const expected = (ingestDate: string) =>
  expectedCounts(
    { plannedAt: '2018-12-04T06:00:00.000Z', batch: { batchId: VALUES.batchId, ingestDate, files: [] } },
    INGEST,
    FEATURES,
    SCORING,
  );

describe('the reconcile query', () => {
  it('has a value for each of its placeholders, and no brace or quote that would break States.Format', () => {
    expect(reconcileQuery().split('{}')).toHaveLength(RECONCILE_VALUES.length + 1);
    expect(reconcileQuery().replaceAll('{}', '')).not.toMatch(/[{}\\]/);
  });

  it('counts the rows of the batch and the run, and no others', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run('CREATE SCHEMA churn; USE churn');
    for (const { name, columns } of [...TABLES, ...FEATURE_TABLES]) {
      const types = columns.map((column) => `"${column.name}" VARCHAR`).join(', ');
      await connection.run(`CREATE TABLE ${name} (${types})`);
    }
    await connection.run(`
      INSERT INTO events (batch_id) SELECT '${VALUES.batchId}' FROM range(7);
      INSERT INTO events (batch_id) SELECT 'another' FROM range(100);
      INSERT INTO quarantined_events (batch_id) SELECT '${VALUES.batchId}' FROM range(2);
      INSERT INTO features (user_id) SELECT 'x' FROM range(11);
      INSERT INTO scoring_features (user_id) SELECT 'x' FROM range(3);
      INSERT INTO scores (run_id) SELECT 'run-1' FROM range(5);
      INSERT INTO scores (run_id) SELECT 'run-0' FROM range(5);
      ALTER TABLE page_days ALTER events TYPE BIGINT;
      INSERT INTO page_days (page, events) VALUES ('Home', 100), ('Register', 7);
      ALTER TABLE ingest_files ALTER rows_read TYPE BIGINT;
      ALTER TABLE ingest_files ALTER rows_accepted TYPE BIGINT;
      ALTER TABLE ingest_files ALTER rows_quarantined TYPE BIGINT;
      ALTER TABLE ingest_files ALTER rows_duplicate TYPE BIGINT;
      INSERT INTO ingest_files (batch_id, rows_read, rows_accepted, rows_quarantined, rows_duplicate)
        VALUES ('${VALUES.batchId}', 6, 4, 2, 0), ('${VALUES.batchId}', 4, 3, 0, 1), ('another', 9, 9, 9, 9)`);
    const answer = await connection.runAndReadAll(formatted());
    const counted = Object.fromEntries(
      answer.getRowObjectsJson().map((row) => [row.table_name, Number(row.row_count)]),
    );
    expect(counted).toEqual({
      events: 7,
      'events.all': 107,
      page_days: 107,
      quarantined_events: 2,
      'ingest_files.rows_read': 10,
      'ingest_files.rows_accepted': 7,
      'ingest_files.rows_quarantined': 2,
      'ingest_files.rows_duplicate': 1,
      features: 11,
      scoring_features: 3,
      scores: 5,
    });
    expect(Object.keys(counted)).toEqual(expected('2018-12-04').map(({ table }) => table));
  });
});

it('quarantined rows are no longer expected once retention may have removed them', () => {
  const tables = (ingestDate: string) => expected(ingestDate).map(({ table }) => table);
  expect(tables('2018-11-20')).toContain('quarantined_events');
  expect(tables('2018-10-20')).not.toContain('quarantined_events');
});

it('rows of users forgotten after the batch was ingested are not expected in the lake, but in the ledger', () => {
  const ingest = { ...INGEST, held: { events: 960, quarantined: 19 } };
  const plan = {
    plannedAt: '2018-12-04T06:00:00.000Z',
    batch: { ...VALUES, ingestDate: '2018-12-04', files: [] },
  };
  const counts = Object.fromEntries(
    expectedCounts(plan, ingest, FEATURES, SCORING).map(({ table, expected }) => [table, expected]),
  );
  expect(counts).toMatchObject({ events: 960, quarantined_events: 19, 'ingest_files.rows_accepted': 970 });
});
