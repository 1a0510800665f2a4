/** Iceberg tables as Spark SQL creates them. */
import { ICEBERG_FORMAT_VERSION, sparkTableName, type Table } from '../../domain/lake.ts';
import type { Python } from '../python.ts';
import { sqlText } from './sql.ts';

const PROPERTIES: Readonly<Record<string, string>> = {
  'format-version': String(ICEBERG_FORMAT_VERSION),
  // The steps sort what they write; Iceberg's default would shuffle it once more.
  'write.distribution-mode': 'none',
  'write.metadata.delete-after-commit.enabled': 'true',
};

/**
 * CREATE TABLE IF NOT EXISTS as a Python string, with every column's meaning as its comment.
 * @param own properties of this table besides those of all
 */
export function createTable(table: Table, own: Readonly<Record<string, string>> = {}): Python {
  const columns = table.columns.map(
    (column) => `  ${column.name} ${column.type} COMMENT ${sqlString(column.meaning)}`,
  );
  const properties = Object.entries({ ...PROPERTIES, ...own }).map(
    ([key, value]) => `${sqlString(key)} = ${sqlString(value)}`,
  );
  return sqlText(
    [
      `CREATE TABLE IF NOT EXISTS ${sparkTableName(table)} (`,
      columns.join(',\n'),
      ') USING iceberg',
      `PARTITIONED BY (${table.partitionedBy.join(', ')})`,
      `COMMENT ${sqlString(table.grain)}`,
      `TBLPROPERTIES (\n  ${properties.join(',\n  ')}\n)`,
    ].join('\n'),
  );
}

/** A string literal of Spark SQL. */
export function sqlString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Several string literals, to stand in an IN list. */
export function sqlStrings(values: readonly string[]): string {
  return values.map(sqlString).join(', ');
}
