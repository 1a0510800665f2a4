/** Ingest on real Spark: what is accepted, what is refused, and that the order of delivery leaves no trace. */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { forget } from '../../domain/forgotten-users.ts';
import {
  EVENTS,
  LOCAL_DATABASE,
  PAGE_COUNTERS,
  PAGE_DAYS,
  SNAPSHOT_RETENTION_DAYS,
  USER_DAYS,
  WAREHOUSE,
} from '../../domain/lake.ts';
import { FORGOTTEN_USERS, runFolder } from '../../domain/lake-objects.ts';
import type { RunPlan } from '../../domain/run.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { type GenerateSummary, generateLog } from '../../generator/generate.ts';
import {
  errorOf,
  eventFiles,
  queryLake,
  resultOf,
  SparkBench,
  temporaryFolder,
  writePlan,
} from '../support/spark-lake.ts';

const DAY_MILLISECONDS = 86_400_000;
const LOG = { users: 40, days: 12, seed: 7 };
/** Repeats of one row on each of four days, for each of many files: several tasks count repeats of the same file. */
const REPEATS = Array.from({ length: 40 }, (_, file) =>
  [7, 5, 3, 11].map((factor) => 1 + ((file * factor) % 13)),
);
/** What is done to the events of user u1 between two runs; in the second case so that no snapshot before it is left. */
const DELETE_ROWS = "DELETE FROM lake.churn.events WHERE user_id = 'u1' AND item_in_session > 0";
const DELETED = {
  deleted: [
    "ALTER TABLE lake.churn.events SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')",
    DELETE_ROWS,
  ],
  cut: [
    DELETE_ROWS,
    "CALL lake.system.expire_snapshots(table => 'churn.events', older_than => TIMESTAMP '2100-01-01', retain_last => 1)",
  ],
} as const;
/** Which file a row came in is the one thing that may differ. */
const DELIVERY = ['batch_id', 'source_file'];
/** DuckDB cannot compare sketches. */
const SKETCHES = ['artist_sketch'];

const columnsOf = (
  table: { readonly columns: readonly { readonly name: string }[] },
  left: readonly string[],
): string =>
  table.columns
    .map(({ name }) => name)
    .filter((name) => !left.includes(name))
    .join(', ');
const EVENT_ROWS = `SELECT ${columnsOf(EVENTS, DELIVERY)} FROM events ORDER BY ALL`;
const USER_DAY_ROWS = `SELECT ${columnsOf(USER_DAYS, SKETCHES)} FROM user_days ORDER BY ALL`;
const PAGE_DAY_ROWS = `SELECT ${columnsOf(PAGE_DAYS, [])} FROM page_days ORDER BY ALL`;
const PAGE_DAYS_OF_EVENTS = `SELECT event_date AS day, page, level, auth, count(*) AS events FROM events
  GROUP BY event_date, page, level, auth ORDER BY ALL`;

describe('ingest-events', () => {
  let folder: string;
  let clean: GenerateSummary;
  let dirty: GenerateSummary;
  const plans = new Map<string, RunPlan>();
  const lake = (name: string): string => join(folder, 'lakes', name);
  const log = (name: string): string => join(folder, 'logs', name);
  const plan = (name: string): RunPlan => {
    const found = plans.get(name);
    if (found === undefined) throw new Error(`no plan ${name}`);
    return found;
  };

  /** Plans a run of its own lake (the name up to a slash) over a folder of files. */
  async function planRun(
    name: string,
    files: string,
    ingest: Partial<RunPlan['ingest']> = {},
    plannedAt = new Date(),
  ): Promise<void> {
    const [lakeName = name] = name.split('/');
    plans.set(
      name,
      await writePlan(lake(lakeName), {
        runId: name.replace('/', '-'),
        plannedAt,
        files: await eventFiles(files),
        ingest,
      }),
    );
  }

  /** A row as it is in a file. */
  const row = (fields: Record<string, unknown>): string =>
    JSON.stringify({
      ts: Date.parse('2018-10-05T10:00:00Z'),
      userId: 'u1',
      sessionId: 1,
      itemInSession: 0,
      page: 'Home',
      auth: 'Logged In',
      level: 'free',
      ...fields,
    });

  beforeAll(async () => {
    folder = await temporaryFolder();
    clean = await generateLog({ ...LOG, outputFolder: log('clean') });
    dirty = await generateLog({ ...LOG, outputFolder: log('dirty'), dirty: true });
    await planRun('clean', log('clean'));
    await planRun('dirty', log('dirty'));

    await splitDelivery();
    await planRun('late/1', log('late 1'));
    await planRun('late/2', log('late 2'), { slicesPerDay: 3 });

    await mkdir(log('odd'), { recursive: true });
    await writeFile(
      join(log('odd'), 'a [1] {b} %20 é.json'),
      `${row({ item: 1 })}\n\n${row({ itemInSession: 1 })}`,
    );
    await writeFile(
      join(log('odd'), 'joined.json'),
      [
        `${row({ itemInSession: 2 })}${row({ itemInSession: 3 })}`,
        `${row({ itemInSession: 4 })} x`,
        `${row({ itemInSession: 6 })},${row({ itemInSession: 7 })}`,
        `${row({ itemInSession: 8 })}  ${row({ itemInSession: 9 })}`,
        `${row({ itemInSession: 10 })} x }`,
        `${row({ itemInSession: 12 })}][${row({ itemInSession: 13 })}`,
        `${row({ itemInSession: 14 })}}{`,
        row({ itemInSession: 15, userId: 30 }).replace(':30,', ':30.0,'),
        row({ itemInSession: 16, userId: 'mc.30.0' }),
        `${row({ itemInSession: 11, nested: { of: {} } })} `,
        ` \t${row({ itemInSession: 17 })}`,
        ` ${row({ itemInSession: 18 })} x`,
        `[${row({})}]`,
        `[${row({ itemInSession: 19 })},${row({ itemInSession: 20 })}]`,
        'null',
        '{}',
        row({ registration: 9e18, userId: 77, itemInSession: 5, artist: 'a}{b' }),
      ].join('\n'),
    );
    await planRun('odd', log('odd'), { maxQuarantineShare: 1 });

    await mkdir(log('repeating'), { recursive: true });
    for (const [file, repeats] of REPEATS.entries()) {
      const lines = repeats.flatMap((count, day) => {
        const line = row({ ts: Date.parse(`2018-10-0${5 + day}T10:00:00Z`), sessionId: file });
        return Array.from({ length: 1 + count }, () => line);
      });
      await writeFile(join(log('repeating'), `${String(file).padStart(2, '0')}.json`), lines.join('\n'));
    }
    await planRun('repeating', log('repeating'));

    await mkdir(log('forgotten'), { recursive: true });
    const forgottenRow = { userId: '1017', firstName: 'Ada' };
    await writeFile(
      join(log('forgotten'), 'again.json'),
      [
        row(forgottenRow),
        row({ ...forgottenRow, page: 'Nowhere' }),
        `${row({ ...forgottenRow, itemInSession: 1 })} x`,
        row({ userId: '1018' }),
      ].join('\n'),
    );
    await planRun('forgotten', log('forgotten'));
    await writeFile(
      join(lake('forgotten'), FORGOTTEN_USERS.key),
      JSON.stringify(forget(undefined, ['1016', '1017'])),
    );

    await planRun('aged/1', log('odd'), { maxQuarantineShare: 1 });
    const later = new Date(Date.now() + (SNAPSHOT_RETENTION_DAYS + 1) * DAY_MILLISECONDS);
    await planRun('aged/2', log('forgotten'), { maxQuarantineShare: 1 }, later);

    await mkdir(log('refused'), { recursive: true });
    await writeFile(
      join(log('refused'), 'names.json'),
      [
        String.raw`{"firstName":"Ada\"X","lastName" : "Lovelace","ts":"x","page":"Home"}`,
        '{"lastName":"Lovel',
        `{'page': 'About', 'firstName': 'Ada', 'ts': 1}`,
        String.raw`"{\"page\":\"Help\",\"firstName\":\"Ada\"}"`,
        '{"page":"Error","lastName":["Lovelace","King"],"ts":"x"}',
        '{"firstName":"A"da","page":"Login"}',
        '{"firstName":null,"lastName":null,"page":"Logout","ts":"x"}',
        '',
      ].join('\n'),
    );
    await planRun('refused', log('refused'), { maxQuarantineShare: 1 });
    await planRun('strict', log('refused'));
    await planRun('corrected/1', log('refused'));
    await planRun('corrected/2', log('repeating'));
    await planRun('outlived/1', log('refused'), { maxQuarantineShare: 1 });

    await mkdir(log('nothing'), { recursive: true });
    await writeFile(join(log('nothing'), 'empty.json'), '');
    await planRun('nothing', log('nothing'));
    await planRun('outlived/2', log('nothing'));
    for (const [lakeName, statements] of Object.entries(DELETED)) {
      await planRun(`${lakeName}/1`, log('odd'), { maxQuarantineShare: 1 });
      await planRun(`${lakeName}/2`, log('nothing'));
      const folder = join(lake(lakeName), runFolder(`${lakeName}-2`));
      await writeFile(join(folder, 'before.sql'), statements.join(';'));
    }

    await mkdir(log('truncated'), { recursive: true });
    await copyFile(join(log('clean'), '2018-10-01.json'), join(log('truncated'), 'whole.json'));
    const zipped = gzipSync(await readFile(join(log('clean'), '2018-10-02.json')));
    await writeFile(join(log('truncated'), 'cut.json.gz'), zipped.subarray(0, zipped.length / 2));
    await planRun('truncated', log('truncated'));

    await mkdir(log('gone'), { recursive: true });
    await writeFile(join(log('gone'), 'gone.json'), row({}));
    await planRun('gone', log('gone'));
    await rm(join(log('gone'), 'gone.json'));

    await new SparkBench(folder, ingestEvents).runAll([...plans.values()]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The clean log in two deliveries: late rows, files under other names, days held back, one file twice. */
  async function splitDelivery(): Promise<void> {
    await mkdir(log('late 1'), { recursive: true });
    await mkdir(log('late 2'), { recursive: true });
    const names = (await readdir(log('clean'))).sort();
    const held = names.splice(-2);
    for (const name of names) await copyFile(join(log('clean'), name), join(log('late 1'), name));
    for (const name of held) await copyFile(join(log('clean'), name), join(log('late 2'), name));
    const [first = '', second = ''] = names;
    const lines = (await readFile(join(log('clean'), first), 'utf8'))
      .split('\n')
      .filter((line) => line !== '');
    await writeFile(join(log('late 1'), first), `${lines.slice(0, -40).join('\n')}\n`);
    await writeFile(join(log('late 2'), 'late.json'), `${lines.slice(-60).join('\n')}\n`);
    await copyFile(join(log('clean'), second), join(log('late 2'), 'other-name.json'));
    await copyFile(join(log('clean'), held[0] ?? ''), join(log('late 2'), 'twice.json'));
  }

  it('ingests every row of a clean log, as events without names and as user days', async () => {
    const result = await resultOf(ingestEvents, plan('clean'));
    expect(result.counts).toEqual({
      read: clean.events,
      accepted: clean.events,
      quarantined: 0,
      duplicates: 0,
    });
    expect(result.firstDay).toBe('2018-10-01');
    const [counted] = await queryLake(
      lake('clean'),
      `SELECT count(DISTINCT user_id) AS users, sum(cancellations) AS cancellations, sum(events) AS events FROM user_days`,
    );
    const [signedIn] = await queryLake(
      lake('clean'),
      `SELECT count(*) AS events FROM events WHERE auth IN ('Logged In', 'Cancelled')`,
    );
    expect(Number(counted?.users)).toBe(clean.users);
    expect(Number(counted?.cancellations)).toBe(clean.cancellations);
    expect(counted?.events).toBe(signedIn?.events);
  });

  it('rolls the events of a day up as SQL over the events does', async () => {
    const counters = PAGE_COUNTERS.map(
      ({ column, page }) => `count(*) FILTER (page = '${page}') AS ${column}`,
    );
    const sql = (select: string, from: string): string => `SELECT ${select} FROM ${from} ORDER BY ALL`;
    const names = PAGE_COUNTERS.map(({ column }) => column);
    const expected = await queryLake(
      lake('clean'),
      sql(
        `event_date AS day, user_id, count(*) AS events, ${counters.join(', ')}, count(DISTINCT session_id) AS sessions,
         bit_or(1 << hour(event_time)::INT) AS active_hours,
         min(event_time) AS first_event_at, max(event_time) AS last_event_at, arg_max(level, (event_time, item_in_session)) AS level,
         arg_min(session_id, (event_time, item_in_session)) AS first_session_id`,
        `events WHERE auth IN ('Logged In', 'Cancelled') GROUP BY event_date, user_id`,
      ),
    );
    const rolledUp = await queryLake(
      lake('clean'),
      sql(
        `day, user_id, events, ${names.join(', ')}, sessions, active_hours, first_event_at, last_event_at, level, first_session_id`,
        'user_days',
      ),
    );
    expect(rolledUp).toEqual(expected);
    const [seconds] = await queryLake(
      lake('clean'),
      `SELECT abs((SELECT sum(session_seconds) FROM user_days) - (SELECT sum(s) FROM (
         SELECT epoch(max(event_time) - min(event_time)) AS s FROM events WHERE auth IN ('Logged In', 'Cancelled')
         GROUP BY event_date, user_id, session_id))) < 0.01 AS same`,
    );
    expect(seconds?.same).toBe(true);
  });

  it('stores the events of a day user after user, those of a user by time and place in the session', async () => {
    const files = join(lake('clean'), WAREHOUSE, LOCAL_DATABASE, EVENTS.name, 'data', '**', '*.parquet');
    const [stored] = await queryLake(
      lake('clean'),
      `SELECT count(*) AS events, count(*) FILTER (former_user = user_id) AS follow,
         count(*) FILTER (former_user = user_id AND former >= (event_time, item_in_session)) AS misplaced,
         count(DISTINCT (filename, user_id)) AS users
       FROM (SELECT filename, user_id, event_time, item_in_session, lag(user_id) OVER stored AS former_user,
               lag((event_time, item_in_session)) OVER stored AS former
             FROM read_parquet('${files}', filename = true, file_row_number = true)
             WHERE user_id <> ''
             WINDOW stored AS (PARTITION BY filename ORDER BY file_row_number))`,
    );
    expect(Number(stored?.events)).toBeGreaterThan(0);
    expect(Number(stored?.misplaced)).toBe(0);
    expect(Number(stored?.follow) + Number(stored?.users)).toBe(Number(stored?.events));
  });

  it('counts all events by day, page, subscription and authentication, those of nobody who is signed in too', async () => {
    const counted = await queryLake(lake('clean'), PAGE_DAY_ROWS);
    expect(counted).toEqual(await queryLake(lake('clean'), PAGE_DAYS_OF_EVENTS));
    const signedOut = counted.filter(({ auth }) => auth === 'Logged Out');
    expect(signedOut.map(({ page }) => page)).toContain('Login');
  });

  it('leaves the same lake, row for row, whatever came late, twice or under another name', async () => {
    const first = await resultOf(ingestEvents, plan('late/1'));
    const second = await resultOf(ingestEvents, plan('late/2'));
    expect(first.counts.accepted + second.counts.accepted).toBe(clean.events);
    expect(second.counts.duplicates).toBeGreaterThan(20);
    expect(second.daysRecomputed).toBeLessThanOrEqual(4);
    expect(await queryLake(lake('late'), EVENT_ROWS)).toEqual(await queryLake(lake('clean'), EVENT_ROWS));
    expect(await queryLake(lake('late'), USER_DAY_ROWS)).toEqual(
      await queryLake(lake('clean'), USER_DAY_ROWS),
    );
  });

  it('accounts for every row of a dirty log, and accepts just the clean one of the same seed', async () => {
    const result = await resultOf(ingestEvents, plan('dirty'));
    const dirt = dirty.dirt;
    expect(result.counts).toEqual({
      read: dirt?.rows,
      accepted: dirty.events,
      quarantined: dirt?.refusedRows,
      duplicates: dirt?.duplicates,
    });
    const refused = Object.entries(dirt?.refused ?? {}).filter(([, rows]) => rows > 0);
    expect(result.refused).toEqual(Object.fromEntries(refused));
    // Nobody's user id is written in several ways; everything else of an accepted row is that of the clean log.
    const anonymous = EVENT_ROWS.replace(
      ' user_id,',
      " CASE WHEN auth IN ('Logged In', 'Cancelled') THEN user_id ELSE '' END AS user_id,",
    );
    expect(await queryLake(lake('dirty'), anonymous)).toEqual(await queryLake(lake('clean'), anonymous));
    expect(await queryLake(lake('dirty'), USER_DAY_ROWS)).toEqual(
      await queryLake(lake('clean'), USER_DAY_ROWS),
    );
  });

  it('counts by file in the ledger what each file held', async () => {
    const ledger = await queryLake(lake('dirty'), 'SELECT * FROM ingest_files');
    const files = await eventFiles(log('dirty'));
    expect(ledger.map((file) => file.uri).sort()).toEqual(files.map(({ uri }) => uri).sort());
    for (const file of ledger) {
      const parts = Number(file.rows_accepted) + Number(file.rows_quarantined) + Number(file.rows_duplicate);
      expect(Number(file.rows_read)).toBe(parts);
    }
  });

  it('reads odd file names, and lets no object on a line be lost in silence', async () => {
    const result = await resultOf(ingestEvents, plan('odd'));
    expect(result.counts).toEqual({ read: 19, accepted: 7, quarantined: 12, duplicates: 0 });
    expect(result.refused).toEqual({ malformed_json: 11, missing_ts: 1 });
    expect(result.adapted).toMatchObject({ rows: 1, files: 1 });
    const users = await queryLake(
      lake('odd'),
      "SELECT DISTINCT user_id, registered_at FROM events WHERE user_id = '77'",
    );
    expect(users).toEqual([{ user_id: '77', registered_at: null }]);
  });

  it('quarantines with reason, file and what may be kept of the line', async () => {
    const rows = await queryLake(
      lake('refused'),
      'SELECT reason, source_file, line FROM quarantined_events ORDER BY reason',
    );
    expect(rows.map((refused) => refused.reason)).toEqual([
      ...Array.from({ length: 4 }, () => 'malformed_json'),
      ...Array.from({ length: 3 }, () => 'wrong_type'),
    ]);
    expect(JSON.stringify(rows)).not.toMatch(/Ada|da"|Love|King/);
    const lines = rows.map((refused) => z.string().parse(refused.line));
    const ofPage = (page: string): unknown =>
      lines.map((line): unknown => JSON.parse(line)).find((line) => JSON.stringify(line).includes(page));
    const noText = { column: 'ts', found: 'text', bytes: 1 };
    const absent = { column: 'auth', found: 'absent' };
    expect(ofPage('Home')).toEqual({ kept: { page: 'Home' }, found: [noText, absent] });
    expect(ofPage('Logout')).toEqual({ kept: { page: 'Logout' }, found: [noText, absent] });
    // Of a line that is no JSON only its length, and where reading it ended.
    expect(lines).toContain('{"kept":{},"found":[{"column":"","found":"single_quotes","bytes":46,"at":1}]}');
    expect(rows[0]?.source_file).toContain('names.json');
  });

  it('counts the duplicates of each file, however many tasks meet them', async () => {
    const ledger = await queryLake(
      lake('repeating'),
      'SELECT rows_read, rows_accepted, rows_duplicate FROM ingest_files ORDER BY uri',
    );
    expect(ledger.map((file) => Number(file.rows_duplicate))).toEqual(
      REPEATS.map((days) => days.reduce((sum, repeats) => sum + repeats)),
    );
    expect(ledger.every((file) => Number(file.rows_accepted) === 4)).toBe(true);
  });

  it('drops and counts the rows of users who asked to be forgotten, and keeps nothing of them', async () => {
    const result = await resultOf(ingestEvents, plan('forgotten'));
    expect(result.counts).toEqual({ read: 4, accepted: 1, quarantined: 3, duplicates: 0 });
    expect(result.refused).toEqual({ forgotten_user: 3 });
    expect(await queryLake(lake('forgotten'), 'SELECT user_id FROM events')).toEqual([{ user_id: '1018' }]);
    const lines = await queryLake(lake('forgotten'), 'SELECT line FROM quarantined_events');
    expect(lines).toEqual([{ line: '' }, { line: '' }, { line: '' }]);
  });

  it.each(Object.keys(DELETED))(
    'brings user days and page days up to date when rows were deleted (%s)',
    async (lakeName) => {
      const [{ events: before } = {}] = await queryLake(
        lake('odd'),
        "SELECT count(*) AS events FROM events WHERE user_id = 'u1' AND item_in_session > 0",
      );
      expect(Number(before)).toBeGreaterThan(0);
      const result = await resultOf(ingestEvents, plan(`${lakeName}/2`));
      expect(result.daysRecomputed).toBe(1);
      const sql = (select: string, from: string): string => `SELECT ${select} FROM ${from} ORDER BY ALL`;
      const expected = await queryLake(
        lake(lakeName),
        sql('user_id, count(*) AS events', "events WHERE auth = 'Logged In' GROUP BY user_id"),
      );
      expect(await queryLake(lake(lakeName), sql('user_id, events', 'user_days'))).toEqual(expected);
      expect(expected.find(({ user_id: id }) => id === 'u1')?.events).toBe('1');
      const counted = await queryLake(lake(lakeName), PAGE_DAY_ROWS);
      expect(counted).toEqual(await queryLake(lake(lakeName), PAGE_DAYS_OF_EVENTS));
    },
  );

  it('keeps snapshots no longer than they need be kept, and every row', async () => {
    for (const table of ['events', 'user_days', 'page_days']) expect(await snapshots('aged', table)).toBe(1);
    expect(await snapshots('late', 'events')).toBeGreaterThan(1);
    const [counted] = await queryLake(lake('aged'), 'SELECT count(*) AS events FROM events');
    expect(Number(counted?.events)).toBe(7 + 2);
  });

  /** Snapshots in the newest metadata of a table. */
  async function snapshots(lakeName: string, table: string): Promise<number> {
    const metadata = join(lake(lakeName), WAREHOUSE, LOCAL_DATABASE, table, 'metadata');
    const version = (await readFile(join(metadata, 'version-hint.text'), 'utf8')).trim();
    const text = await readFile(join(metadata, `v${version}.metadata.json`), 'utf8');
    return z.looseObject({ snapshots: z.array(z.unknown()) }).parse(JSON.parse(text)).snapshots.length;
  }

  it('keeps refused rows no longer than they may be kept', async () => {
    // The plans of these tests are of a batch that was first seen long ago; its own rows are written all the same.
    expect((await resultOf(ingestEvents, plan('outlived/1'))).counts.quarantined).toBe(7);
    expect(await queryLake(lake('outlived'), 'SELECT * FROM quarantined_events')).toEqual([]);
  });

  it('fails above the share of refused rows with reasons and examples, and publishes nothing', async () => {
    const error = await errorOf(ingestEvents, plan('strict'));
    expect(error.message).toContain(
      '7 of 7 rows were refused, more than the 5.0% allowed: malformed_json 4, wrong_type 3',
    );
    expect(error.message).toContain(
      'ts is text: 3 rows in 1 file; write ts as milliseconds since 1970, without quotes',
    );
    expect(await queryLake(lake('strict'), 'SELECT * FROM events')).toEqual([]);
  });

  it('ingests a corrected log after a first run that published nothing', async () => {
    await errorOf(ingestEvents, plan('corrected/1'));
    const result = await resultOf(ingestEvents, plan('corrected/2'));
    expect(result.counts.accepted).toBe(4 * REPEATS.length);
    const [held] = await queryLake(lake('corrected'), 'SELECT count(*) AS events FROM events');
    expect(Number(held?.events)).toBe(4 * REPEATS.length);
  });

  it('survives a batch without a single row', async () => {
    const result = await resultOf(ingestEvents, plan('nothing'));
    expect(result.counts).toEqual({ read: 0, accepted: 0, quarantined: 0, duplicates: 0 });
  });

  it('names a file that was removed, and fails', async () => {
    const error = await errorOf(ingestEvents, plan('gone'));
    expect(error.message).toContain('gone.json cannot be read to its end');
    expect(error.whatToDo).toContain('start a new run');
  });

  it('names a file that cannot be read to its end, fails, and publishes nothing of the others', async () => {
    const error = await errorOf(ingestEvents, plan('truncated'));
    expect(error.message).toContain('cut.json.gz cannot be read to its end');
    expect(await queryLake(lake('truncated'), 'SELECT * FROM events')).toEqual([]);
  });
});
