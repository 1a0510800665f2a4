/** Athena's engine on the lake of a rehearsed run: the reconciliation, the saved queries, the raw events, forgetting. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deletions } from '../../bin/commands/forget.ts';
import { EVENTS, SCORES } from '../../domain/lake.ts';
import { NAMED_QUERIES } from '../../domain/named-queries.ts';
import { type GenerateSummary, generateLog } from '../../generator/generate.ts';
import type { Ending } from '../../local/interpreter/interpreter.ts';
import type { QueryAnswer } from './cloud/athena.ts';
import { startTrino, type Trino } from './cloud/trino.ts';
import { type RehearsalFolder, rehearsalFolder } from './folder.ts';
import { type Rehearsal, startRehearsal, upload } from './rehearsal.ts';

const MINUTE = 60_000;
const LOG = { users: 50, days: 50, seed: 1, dirty: true } as const;

let root: RehearsalFolder | undefined;
let folder: string;
let generated: GenerateSummary;
let trino: Trino | undefined;
let rehearsal: Rehearsal;
let ending: Ending;

beforeAll(async () => {
  root = await rehearsalFolder('athena');
  folder = root.path;
  const log = join(folder, 'log');
  generated = await generateLog({ ...LOG, outputFolder: log });
  // Trino starts with the first query, once the cluster has released its memory.
  rehearsal = await startRehearsal(folder, (environment) => async (sql, database) => {
    trino ??= await startTrino(join(folder, 'trino'), environment);
    return trino.query(sql, database);
  });
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

describe('Athena’s engine', () => {
  test('answers ReconcileLake, and the counts agree', () => {
    expect(ending).toMatchObject({ status: 'SUCCEEDED' });
  });

  test.each(NAMED_QUERIES)('answers the saved query $name', async ({ sql }) => {
    const user = await one(`SELECT min(user_id) FROM ${SCORES.name}`);
    expect((await query(sql.replace('?', `'${user}'`))).rows.length).toBeGreaterThan(0);
  });

  test('shows a blank line of the raw events as a row of nulls, and every other row once', async () => {
    const rows = Number(await one('SELECT count(*) FROM raw_events'));
    const blank = Number(
      await one('SELECT count(*) FROM raw_events WHERE ts IS NULL AND page IS NULL AND userid IS NULL'),
    );
    expect(blank).toBeGreaterThan(0);
    expect(rows).toBeGreaterThanOrEqual(generated.dirt?.rows ?? 0);
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
