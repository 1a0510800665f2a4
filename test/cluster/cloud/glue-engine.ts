/** Athena's place is taken by DuckDB, which learns from Glue where the tables are, and reads them from S3. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import { quotedText } from '../../../local/adapters/lake-views.ts';
import { duckdbExtensions } from '../../../setup/environment.mjs';
import type { QueryEngine } from './athena.ts';
import { type AwsEnvironment, callJson } from './aws-request.ts';

const MEMORY_LIMIT = '1GB';

const tableSchema = z.looseObject({
  Name: z.string(),
  Parameters: z.record(z.string(), z.string()).default({}),
  StorageDescriptor: z.looseObject({
    Location: z.string().default(''),
    Columns: z.array(z.looseObject({ Name: z.string(), Type: z.string() })).default([]),
  }),
});
type GlueTable = z.infer<typeof tableSchema>;
const tablesSchema = z.looseObject({ TableList: z.array(tableSchema) });

/** Runs a query on the tables of a Glue database. @param environment as whom Glue and S3 are called */
export function glueEngine(environment: AwsEnvironment): QueryEngine {
  return async (sql, database) => {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_LIMIT,
      autoinstall_known_extensions: 'false',
    });
    const connection = await instance.connect();
    try {
      const { httpfs, avro, iceberg } = duckdbExtensions;
      for (const extension of [httpfs, avro, iceberg]) await connection.run(`LOAD ${quotedText(extension)}`);
      await connection.run(secret(environment));
      await createGlueViews(connection, { environment, database, sql });
      const answer = await connection.runAndReadAll(sql);
      const rows = answer.getRowsJson().map((row) => row.map(asText));
      return { columns: answer.columnNames(), rows };
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  };
}

/** How DuckDB signs in to S3. */
export function secret(environment: AwsEnvironment): string {
  const { host } = new URL(environment.AWS_ENDPOINT_URL ?? '');
  const {
    AWS_ACCESS_KEY_ID: key = '',
    AWS_SECRET_ACCESS_KEY: value = '',
    AWS_REGION: region = '',
  } = environment;
  return (
    `CREATE OR REPLACE SECRET (TYPE s3, KEY_ID ${quotedText(key)}, SECRET ${quotedText(value)}, REGION ${quotedText(region)}, ` +
    `ENDPOINT ${quotedText(host)}, URL_STYLE 'path', USE_SSL false)`
  );
}

export interface GlueViews {
  readonly environment: AwsEnvironment;
  readonly database: string;
  /** The tables that it names get a view: the others may be where the caller may not read. */
  readonly sql: string;
  /** Name of the schema in DuckDB; default: the database's. */
  readonly schema?: string;
}

/** Creates a view of every table that the query names; of a table without files an empty one, as Athena reads it. */
export async function createGlueViews(
  connection: DuckDBConnection,
  { environment, database, sql, schema = database }: GlueViews,
): Promise<void> {
  await callJson(environment, 'glue', 'GetDatabase', { Name: database });
  const { TableList: tables } = tablesSchema.parse(
    await callJson(environment, 'glue', 'GetTables', { DatabaseName: database }),
  );
  await connection.run(`CREATE SCHEMA ${schema}`);
  for (const table of tables) {
    if (!new RegExp(`\\b${table.Name}\\b`).test(sql)) continue;
    await connection.run(`CREATE VIEW ${schema}.${table.Name} AS ${await source(connection, table)}`);
  }
  await connection.run(`USE ${schema}`);
}

async function source(
  connection: DuckDBConnection,
  { Parameters, StorageDescriptor: { Location, Columns } }: GlueTable,
): Promise<string> {
  const metadata = Parameters.metadata_location;
  if (metadata !== undefined) return `SELECT * FROM iceberg_scan(${quotedText(metadata)})`;
  const files = quotedText(`${Location}*.json`);
  const found = await connection.runAndReadAll(`SELECT file FROM glob(${files}) LIMIT 1`);
  if (found.getRows().length === 0) {
    const nothing = Columns.map(({ Name, Type }) => `NULL::${Type} AS "${Name}"`).join(', ');
    return `SELECT ${nothing} WHERE false`;
  }
  const columns = Columns.map(({ Name, Type }) => `"${Name}": '${Type}'`).join(', ');
  return `SELECT * FROM read_json(${files}, format = 'newline_delimited', columns = {${columns}})`;
}

/** Athena returns values as text. */
function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
