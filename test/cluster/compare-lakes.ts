/** Compares the tables of the rehearsed deployment with those of a local run on the same log. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { LOCAL_DATABASE, TABLES, type Table } from '../../domain/lake.ts';
import { lakeViews, quotedText } from '../../local/adapters/lake-views.ts';
import { duckdbExtensions } from '../../setup/environment.mjs';
import type { AwsEnvironment } from './cloud/aws-request.ts';
import { createGlueViews, secret } from './cloud/glue-engine.ts';

/** What two runs on the same log may differ in: ids, times, costs, and where files are. */
const IDS_AND_TIMES: readonly string[] = [
  ...['batch_id', 'run_id', 'measured_by', 'etag', 'started_at', 'ended_at'],
  ...['estimated_cost_usd', 'cost_usd', 'spot_price_source'],
];
const FILES: readonly string[] = ['source_file', 'uri'];
const CLOUD = 'cloud';

export interface Lakes {
  /** Folder of the local lake. */
  readonly folder: string;
  /** Folder of the log that the local run read. */
  readonly log: string;
  /** The emulated account, past the gateway. */
  readonly account: AwsEnvironment;
  /** `s3://bucket/folder` of the log there. */
  readonly eventsRoot: string;
  /** Glue database of the tables there. */
  readonly database: string;
}

export interface TableComparison {
  readonly table: string;
  readonly rows: number;
  /** Rows of the cloud that the local lake does not have, and the other way round. */
  readonly onlyInCloud: readonly unknown[];
  readonly onlyLocal: readonly unknown[];
}

/** Compares every table row for row, whatever their order. */
export async function compareLakes(lakes: Lakes): Promise<readonly TableComparison[]> {
  const tables = [...TABLES, ...FEATURE_TABLES];
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false' });
  const connection = await instance.connect();
  try {
    const { httpfs, avro, iceberg } = duckdbExtensions;
    for (const extension of [httpfs, avro, iceberg]) await connection.run(`LOAD ${quotedText(extension)}`);
    await connection.run(secret(lakes.account));
    const names = tables.map(({ name }) => name).join(' ');
    const { account: environment, database } = lakes;
    await createGlueViews(connection, { environment, database, sql: names, schema: CLOUD });
    for (const statement of lakeViews(lakes.folder, tables)) await connection.run(statement);
    const comparisons: TableComparison[] = [];
    for (const table of tables) comparisons.push(await compareTable(connection, table, lakes));
    return comparisons;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const SHOWN_ROWS = 3;

async function compareTable(
  connection: DuckDBConnection,
  table: Table,
  { log, eventsRoot }: Lakes,
): Promise<TableComparison> {
  const select = (schema: string, root: string): string => {
    const columns = table.columns
      .filter(({ name }) => !IDS_AND_TIMES.includes(name))
      .map(({ name }) =>
        FILES.includes(name) ? `replace("${name}", ${quotedText(root)}, '') AS "${name}"` : `"${name}"`,
      );
    return `SELECT ${columns.join(', ')} FROM "${schema}"."${table.name}"`;
  };
  const cloud = select(CLOUD, eventsRoot);
  const local = select(LOCAL_DATABASE, `file://${log}`);
  const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const only = (a: string, b: string) => rowsOf(`(${a}) EXCEPT ALL (${b}) LIMIT ${SHOWN_ROWS}`);
  const [count] = await rowsOf(`SELECT count(*)::INTEGER AS rows FROM (${cloud})`);
  return {
    table: table.name,
    rows: Number(count?.rows),
    onlyInCloud: await only(cloud, local),
    onlyLocal: await only(local, cloud),
  };
}
