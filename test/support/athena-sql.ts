/** Queries in Athena's dialect, checked against the lake's columns and translated to DuckDB's dialect (sqlglot). */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { type ColumnType, TABLES } from '../../domain/lake.ts';
import { projectRoot, pythonExecutable } from '../../setup/environment.mjs';

const ATHENA_TYPES: Partial<Record<ColumnType, string>> = {
  timestamp_ntz: 'timestamp',
  'array<string>': 'array<varchar>',
};

/** Every table that Athena can query. */
export const QUERIED_TABLES = [...TABLES, ...FEATURE_TABLES];

const answerSchema = z.record(
  z.string(),
  z.object({ sql: z.string().optional(), error: z.string().optional() }),
);

/** Each query in DuckDB's dialect, or what is wrong with its Athena syntax, its tables or its columns. */
export function checkedSql(named: ReadonlyMap<string, string>): z.infer<typeof answerSchema> {
  const schema = Object.fromEntries(
    QUERIED_TABLES.map(({ name, columns }) => [
      name,
      Object.fromEntries(columns.map((column) => [column.name, ATHENA_TYPES[column.type] ?? column.type])),
    ]),
  );
  const output = execFileSync(pythonExecutable, [join(projectRoot, 'test/support/check_athena_sql.py')], {
    input: JSON.stringify({ schema, queries: Object.fromEntries(named) }),
    encoding: 'utf8',
  });
  return answerSchema.parse(JSON.parse(output));
}
