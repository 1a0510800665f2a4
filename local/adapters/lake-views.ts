/** The lake's tables as views of a DuckDB connection, under the names that they have in Athena. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Column,
  type ColumnType,
  externalTableFolder,
  icebergTableFolder,
  LOCAL_DATABASE,
  type Table,
} from '../../domain/lake.ts';

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  int: 'INTEGER',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp_ntz: 'TIMESTAMP',
  binary: 'BLOB',
  'array<string>': 'VARCHAR[]',
};

/** Statements that create a view of every table; the view is empty if the table does not exist yet. */
export function lakeViews(
  lakeFolder: string,
  tables: readonly Table[],
  database = LOCAL_DATABASE,
): readonly string[] {
  const schema = quotedName(database);
  return [
    `CREATE SCHEMA ${schema}`,
    ...tables.map(
      (table) => `CREATE VIEW ${schema}.${quotedName(table.name)} AS ${source(lakeFolder, database, table)}`,
    ),
    `USE ${schema}`,
  ];
}

function source(lakeFolder: string, database: string, table: Table): string {
  if (table.format === 'iceberg') {
    const metadata = newestMetadata(join(lakeFolder, icebergTableFolder(database, table), 'metadata'));
    return metadata === undefined
      ? nothing(table.columns)
      : `SELECT * FROM iceberg_scan(${quotedText(metadata)})`;
  }
  const folder = join(lakeFolder, externalTableFolder(table));
  const hasRows = existsSync(folder) && readdirSync(folder).some((name) => /^[^._].*\.json$/.test(name));
  if (!hasRows) return nothing(table.columns);
  const columns = table.columns
    .map(({ name, type }) => `${quotedName(name)}: '${DUCKDB_TYPES[type]}'`)
    .join(', ');
  return `SELECT * FROM read_json(${quotedText(`${escapedGlob(folder)}/[!._]*.json`)}, format = 'newline_delimited', columns = {${columns}})`;
}

/**
 * The newest metadata file of a table in a Hadoop catalog, whose files are numbered. (DuckDB itself follows the
 * version hint, which a writer updates last.)
 */
export function newestMetadata(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const versions = readdirSync(folder)
    .map((name) => /^v(\d+)(\.gz)?\.metadata\.json$/.exec(name)?.[1])
    .filter((version) => version !== undefined)
    .map(Number);
  return versions.length === 0 ? undefined : join(folder, `v${Math.max(...versions)}.metadata.json`);
}

function nothing(columns: readonly Column[]): string {
  return `SELECT ${columns.map(({ name, type }) => `NULL::${DUCKDB_TYPES[type]} AS ${quotedName(name)}`).join(', ')} WHERE false`;
}

function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text as a SQL literal. */
export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Escapes wildcard characters in a folder's path. */
function escapedGlob(folder: string): string {
  return folder.replaceAll(/[[*?]/g, '[$&]');
}
