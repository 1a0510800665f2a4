/** The SQL that Athena is given: right in its dialect, about columns that exist, and it runs. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FEATURES_TABLE } from '../../lib/domain/features/table.ts';
import { type ColumnType, TABLES } from '../../lib/domain/lake.ts';
import { reconcileQuery } from '../../lib/domain/reconcile.ts';
import { NAMED_QUERIES } from '../../lib/stacks/named-queries.ts';
import { projectRoot, pythonExecutable } from '../../setup/environment.mjs';

const ATHENA_TYPES: Partial<Record<ColumnType, string>> = {
  timestamp_ntz: 'timestamp',
  'array<string>': 'array<varchar>',
};
const DUCKDB_TYPES: Partial<Record<ColumnType, string>> = {
  timestamp_ntz: 'TIMESTAMP',
  'array<string>': 'VARCHAR[]',
  binary: 'BLOB',
  string: 'VARCHAR',
};
const tables = [...TABLES, FEATURES_TABLE];

const queries = new Map([
  ...NAMED_QUERIES.map(({ name, sql }): [string, string] => [name, sql]),
  ['reconcile', reconcileQuery().replaceAll('{}', 'x')],
]);

const answerSchema = z.record(
  z.string(),
  z.object({ sql: z.string().optional(), error: z.string().optional() }),
);

function checked(named: ReadonlyMap<string, string>): z.infer<typeof answerSchema> {
  const schema = Object.fromEntries(
    tables.map(({ name, columns }) => [
      name,
      Object.fromEntries(columns.map((column) => [column.name, ATHENA_TYPES[column.type] ?? column.type])),
    ]),
  );
  const output = execFileSync(pythonExecutable, [join(projectRoot, 'test/stacks/check_athena_sql.py')], {
    input: JSON.stringify({ schema, queries: Object.fromEntries(named) }),
    encoding: 'utf8',
  });
  return answerSchema.parse(JSON.parse(output));
}

describe('in Athena’s dialect', () => {
  let answers: ReturnType<typeof checked>;
  beforeAll(() => {
    answers = checked(queries);
  });

  test.each([...queries.keys()])('%s names tables and columns that exist', (name) => {
    expect(answers[name]).toEqual({ sql: expect.any(String) });
  });

  test.each([...queries.keys()])('%s runs', async (name) => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    for (const table of tables) {
      const columns = table.columns.map(
        (column) => `"${column.name}" ${DUCKDB_TYPES[column.type] ?? column.type}`,
      );
      await connection.run(`CREATE TABLE ${table.name} (${columns.join(', ')})`);
    }
    const statement = await connection.prepare(answers[name]?.sql ?? '');
    for (let parameter = 1; parameter <= statement.parameterCount; parameter += 1)
      statement.bindVarchar(parameter, 'x');
    const rows = await statement.runAndReadAll();
    expect(rows.columnCount).toBeGreaterThan(0);
  });
});

test('a column that is not there is noticed', () => {
  const answers = checked(
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
