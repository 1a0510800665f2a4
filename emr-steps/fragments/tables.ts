/** Tables as Spark SQL creates them, and their rows as Python types them. */
import { type ColumnType, ICEBERG_FORMAT_VERSION, type Table } from '../../domain/lake.ts';
import { identifier, Python, python, pythonLines } from '../composition/python.ts';
import { sqlText } from './sql.ts';

const PROPERTIES: Readonly<Record<string, string>> = {
  'format-version': String(ICEBERG_FORMAT_VERSION),
  // The steps sort what they write; Iceberg's default would shuffle it once more.
  'write.distribution-mode': 'none',
  'write.metadata.delete-after-commit.enabled': 'true',
};

/**
 * CREATE TABLE IF NOT EXISTS as a Python string to format with the full name of the `table`, with every column's meaning
 * as its comment.
 * @param own properties of this table besides those of all
 */
export function createTable(table: Table, own: Readonly<Record<string, string>> = {}): Python {
  const columns = table.columns.map(
    (column) => `  ${column.name} ${column.type} COMMENT ${sqlString(column.meaning)}`,
  );
  const properties = Object.entries({ ...PROPERTIES, ...own }).map(
    ([key, value]) => `${sqlString(key)} = ${sqlString(value)}`,
  );
  const definition = [
    columns.join(',\n'),
    ') USING iceberg',
    ...(table.partitionedBy.length === 0 ? [] : [`PARTITIONED BY (${table.partitionedBy.join(', ')})`]),
    `COMMENT ${sqlString(table.grain)}`,
    `TBLPROPERTIES (\n  ${properties.join(',\n  ')}\n)`,
  ].join('\n');
  const escaped = definition.replaceAll('{', '{{').replaceAll('}', '}}');
  return sqlText(`CREATE TABLE IF NOT EXISTS {table} (\n${escaped}`);
}

const PYTHON_TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'str',
  int: 'int',
  bigint: 'int',
  double: 'float',
  boolean: 'bool',
  date: 'datetime.date',
  timestamp_ntz: 'datetime.datetime',
  binary: 'bytes',
  'array<string>': 'list[str]',
};

/**
 * A TypedDict of the table's rows; it needs `from typing import TypedDict`, and `import datetime` where there are times.
 * @param later columns that rows of former releases lack, and that may be null; it then needs NotRequired, too
 */
export function rowType(name: string, table: Table, later: readonly string[] = []): Python {
  const fields = table.columns.map(
    (column) =>
      new Python(
        `${identifier(column.name).source}: ${later.includes(column.name) ? `NotRequired[${PYTHON_TYPES[column.type]} | None]` : PYTHON_TYPES[column.type]}`,
      ),
  );
  return python`
    class ${identifier(name)}(TypedDict):
        """A row of ${identifier(table.name)}."""

        ${pythonLines(fields)}
  `;
}

/** A string literal of Spark SQL. */
export function sqlString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Several string literals, for an IN list. */
export function sqlStrings(values: readonly string[]): string {
  return values.map(sqlString).join(', ');
}
