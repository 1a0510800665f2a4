/**
 * Athena's engine on the lake of a rehearsed run: the reconciliation, the saved queries, the raw events, forgetting. With
 * REHEARSAL_ACCOUNT=<folder> in the environment on what an earlier rehearsal kept, without a run.
 */
import { join } from 'node:path';
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deletions } from '../../bin/commands/forget.ts';
import { RAW_COLUMNS } from '../../domain/events.ts';
import { EVENTS, INGEST_FILES, SCORES } from '../../domain/lake.ts';
import type { PlacedObject } from '../../domain/lake-object.ts';
import { CURRENT, PLAN, STEP_RESULT } from '../../domain/lake-objects.ts';
import { NAMED_QUERIES } from '../../domain/named-queries.ts';
import {
  expectedCounts,
  RECONCILE_COLUMNS,
  RECONCILE_VALUES,
  reconcileQuery,
} from '../../domain/reconcile.ts';
import { generateLog } from '../../generator/generate.ts';
import type { Ending } from '../../local/interpreter/interpreter.ts';
import { MAY_BE_EMPTY } from '../support/saved-queries.ts';
import type { QueryAnswer } from './cloud/athena.ts';
import { restoreAccount } from './cloud/kept-account.ts';
import { startTrino, type Trino } from './cloud/trino.ts';
import { type RehearsalFolder, rehearsalFolder } from './folder.ts';
import { type Rehearsal, startRehearsal, upload } from './rehearsal.ts';

const MINUTE = 60_000;
const LOG = { users: 50, days: 50, seed: 1, dirty: true } as const;
const KEPT = process.env.REHEARSAL_ACCOUNT;

let root: RehearsalFolder | undefined;
let folder: string;
let trino: Trino | undefined;
let rehearsal: Rehearsal;
let ending: Ending;

beforeAll(async () => {
  root = await rehearsalFolder('athena');
  folder = root.path;
  // Trino starts with the first query, once the cluster has released its memory.
  rehearsal = await startRehearsal(folder, {
    engine: (environment) => async (sql, database) => {
      trino ??= await startTrino(join(folder, 'trino'), environment);
      return trino.query(sql, database);
    },
  });
  if (KEPT !== undefined) {
    await restoreAccount(rehearsal.account, rehearsal.database, KEPT);
    trino = await startTrino(join(folder, 'trino'), rehearsal.account);
    return;
  }
  const log = join(folder, 'log');
  await generateLog({ ...LOG, outputFolder: log });
  await upload(rehearsal.s3, log, rehearsal.eventsRoot);
  ending = await rehearsal.run('athena', { maxQuarantineShare: 1 });
}, 60 * MINUTE);

afterAll(async () => {
  await trino?.stop();
  await rehearsal?.stop();
  await root?.remove();
});

async function query(sql: string): Promise<QueryAnswer> {
  if (trino === undefined) throw new Error('the run did not get as far as ReconcileLake');
  return trino.query(sql, rehearsal.database);
}

async function one(sql: string): Promise<string | null | undefined> {
  return (await query(sql)).rows[0]?.[0];
}

/** An object of the lake. */
async function read<Value>({ key, format }: PlacedObject<Value>): Promise<Value> {
  const [, , Bucket = ''] = rehearsal.lakeRoot.split('/');
  const { Body } = await rehearsal.s3.send(new GetObjectCommand({ Bucket, Key: key }));
  const reading = format.read((await Body?.transformToString()) ?? '');
  if (!reading.isValid) throw new Error(`${key} ${reading.problem}`);
  return reading.value;
}

describe('Athena’s engine', () => {
  test.skipIf(KEPT !== undefined)('answers ReconcileLake in a run, which succeeds', () => {
    expect(ending).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('counts what the steps of the run have counted', async () => {
    const { runId } = await read(CURRENT);
    const [plan, ingest, features, scoring] = await Promise.all([
      read(PLAN.of(runId)),
      read(STEP_RESULT['ingest-events'].of(runId)),
      read(STEP_RESULT['build-features'].of(runId)),
      read(STEP_RESULT['score-users'].of(runId)),
    ]);
    const values = { runId, batchId: plan.batch.batchId };
    const sql = RECONCILE_VALUES.reduce((text, value) => text.replace('{}', values[value]), reconcileQuery());
    const { columns, rows } = await query(sql);
    expect(columns).toEqual(Object.values(RECONCILE_COLUMNS));
    const expected = expectedCounts(plan, ingest, features, scoring);
    expect(Object.fromEntries(rows)).toMatchObject(
      Object.fromEntries(expected.map((count) => [count.table, String(count.expected)])),
    );
  });

  test.each(NAMED_QUERIES)('answers the saved query $name', async ({ name, sql }) => {
    const user = await one(`SELECT min(user_id) FROM ${SCORES.name}`);
    const { rows } = await query(sql.replace('?', `'${user}'`));
    const source = MAY_BE_EMPTY[name];
    const isHeld = source === undefined || Number(await one(`SELECT count(*) FROM ${source}`)) > 0;
    if (isHeld) expect(rows.length).toBeGreaterThan(0);
  });

  test('shows every line of the raw events once, a blank one as a row of nulls', async () => {
    const lines = await rawLines();
    const blank = lines.filter((line) => line.trim() === '').length;
    const malformed = lines.filter((line) => line.trim() !== '' && !isObject(line)).length;
    const isNull = RAW_COLUMNS.map(({ name }) => `${name.toLowerCase()} IS NULL`).join(' AND ');
    const { rows: [[rows, nulls] = []] = [] } = await query(
      `SELECT count(*), count_if(${isNull}) FROM raw_events`,
    );
    expect(Number(rows)).toBe(lines.length);
    expect(blank).toBeGreaterThan(0);
    expect(Number(nulls)).toBeGreaterThanOrEqual(blank);
    // Of a line that is not JSON, what can be read is shown.
    expect(Number(nulls)).toBeLessThan(blank + malformed);
    expect(Number(await one(`SELECT sum(rows_read) FROM ${INGEST_FILES.name}`))).toBe(lines.length - blank);
  });

  test('runs the statements that forget a user, and holds no row of theirs afterwards', async () => {
    const user = (await one(`SELECT min(user_id) FROM ${SCORES.name}`)) ?? '';
    const statements = [...deletions([user], rehearsal.database).matchAll(/^ {2}(.+);$/gm)].flatMap(
      ([, sql = '']) => inTrino(sql),
    );
    for (const sql of statements) await query(sql);
    const tables = statements.flatMap((sql) => /^DELETE FROM \S+\.(\S+)/.exec(sql)?.[1] ?? []);
    expect(tables).toEqual(expect.arrayContaining([EVENTS.name, SCORES.name]));
    for (const name of tables) {
      expect(await one(`SELECT count(*) FROM ${name}`), name).not.toBe('0');
      expect(await one(`SELECT count(*) FROM ${name} WHERE user_id = '${user}'`), name).toBe('0');
    }
  });
});

/** The lines of all event files. */
async function rawLines(): Promise<readonly string[]> {
  const [, Bucket = '', Prefix = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(rehearsal.eventsRoot) ?? [];
  const lines: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client: rehearsal.s3 }, { Bucket, Prefix })) {
    for (const { Key } of Contents) {
      const { Body } = await rehearsal.s3.send(new GetObjectCommand({ Bucket, Key }));
      const text = (await Body?.transformToString()) ?? '';
      // What follows the last line's end is no line.
      lines.push(
        ...text
          .replace(/\r?\n$/, '')
          .split(/\r?\n/)
          .filter(() => text !== ''),
      );
    }
  }
  return lines;
}

function isObject(line: string): boolean {
  try {
    return typeof JSON.parse(line.replace(/^\uFEFF/, '')) === 'object';
  } catch {
    return false;
  }
}

/** A statement of Athena in the words of Trino, which has no property that says when a file is worth rewriting. */
function inTrino(sql: string): readonly string[] {
  const [, verb = '', table = ''] = /^(DELETE FROM|OPTIMIZE|VACUUM|ALTER TABLE) (\S+)/.exec(sql) ?? [];
  switch (verb) {
    case 'DELETE FROM':
      return [sql];
    case 'OPTIMIZE':
      return [`ALTER TABLE ${table} EXECUTE optimize`];
    case 'VACUUM':
      return [`ALTER TABLE ${table} EXECUTE expire_snapshots(retention_threshold => '7d')`];
    case 'ALTER TABLE':
      return [];
    default:
      throw new Error(`the rehearsal does not know the statement ${sql}`);
  }
}
