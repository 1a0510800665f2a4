/** Features, models and scores on real Spark, from raw events on: nothing known too early, nothing left to chance. */
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEATURES } from '../../domain/features/catalogue.ts';
import type { RunPlan } from '../../domain/run.ts';
import { sourceChanges } from '../../domain/sources.ts';
import { buildFeatures } from '../../emr-steps/build-features.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { generateLog } from '../../generator/generate.ts';
import { Random } from '../../generator/random.ts';
import {
  errorOf,
  eventFiles,
  queryLake,
  resultOf,
  temporaryFolder,
  writePlan,
} from '../support/spark-lake.ts';
import { StepServer } from '../support/step-server.ts';
import { type RawEvent, rowAt, signedInEvents } from './feature-oracle.ts';

const LOG = { users: 60, days: 50, seed: 11 };
const HORIZON_DAYS = 14;
const FIRST_DAY = Date.parse('2018-10-01');
/** By hand: 50 days end on 20 November; the test looks back 14 days from there, training 15 and 20 from the test. */
const CUTOFFS = [
  { cutoff: '2018-10-17', role: 'train' },
  { cutoff: '2018-10-22', role: 'train' },
  { cutoff: '2018-11-06', role: 'test' },
  { cutoff: '2018-11-20', role: 'score' },
] as const;

const event = (userId: string, time: string, fields: Partial<RawEvent> = {}): RawEvent => ({
  ts: Date.parse(time),
  userId,
  sessionId: 1,
  page: 'Home',
  auth: 'Logged In',
  level: 'free',
  ...fields,
});
const cancellation = { page: 'Cancellation Confirmation', auth: 'Cancelled' } as const;

/** Users made by hand, each at an edge. */
const EDGES: readonly RawEvent[] = [
  event('at midnight', '2018-11-05T23:59:59.999Z', { page: 'Thumbs Down' }),
  event('at midnight', '2018-11-06T00:00:00.000Z', { page: 'Thumbs Down' }),
  event('first moment', '2018-11-01T10:00:00Z'),
  event('first moment', '2018-11-06T00:00:00.000Z', cancellation),
  event('last moment', '2018-11-01T10:00:00Z'),
  event('last moment', '2018-11-19T23:59:59.999Z', cancellation),
  event('too late', '2018-11-01T10:00:00Z'),
  event('too late', '2018-11-20T00:00:00.000Z', cancellation),
  event('gone', '2018-10-10T10:00:00Z'),
  event('gone', '2018-10-15T23:59:59.999Z', cancellation),
  // Gone at two cutoffs, back at the third with two spells behind the present one, and gone for good.
  event('back', '2018-10-03T10:00:00Z', { level: 'paid' }),
  event('back', '2018-10-12T10:00:00Z', cancellation),
  event('back', '2018-10-12T10:20:00Z', { sessionId: 2 }),
  event('back', '2018-10-24T08:00:00Z', { sessionId: 3 }),
  event('back', '2018-10-28T09:00:00Z', { ...cancellation, sessionId: 3 }),
  event('back', '2018-10-28T12:00:00Z', { sessionId: 4 }),
  event('back', '2018-11-08T09:00:00Z', { ...cancellation, sessionId: 4 }),
  // Goes and comes back between two cutoffs, and the other way round.
  event('between', '2018-10-14T10:00:00Z'),
  event('between', '2018-10-17T10:00:00Z', cancellation),
  event('between', '2018-10-20T10:00:00Z', { sessionId: 2 }),
  event('across', '2018-10-14T10:00:00Z'),
  event('across', '2018-10-16T23:50:00Z', cancellation),
  event('across', '2018-10-17T00:10:00Z', { sessionId: 2 }),
  event('across', '2018-10-17T10:00:00Z', { sessionId: 3 }),
  // One session over two midnights, then another: two sessions of 26.5 and 0.5 hours.
  event('night owl', '2018-11-02T23:00:00Z', { sessionId: 7 }),
  event('night owl', '2018-11-03T12:00:00Z', { sessionId: 7, page: 'NextSong', artist: 'a' }),
  event('night owl', '2018-11-04T01:30:00Z', { sessionId: 7 }),
  event('night owl', '2018-11-04T20:00:00Z', { sessionId: 8 }),
  event('night owl', '2018-11-04T20:30:00Z', { sessionId: 8 }),
];

const PAGES = [
  'NextSong',
  'Thumbs Up',
  'Thumbs Down',
  'Roll Advert',
  'Error',
  'Help',
  'Submit Upgrade',
] as const;

/** A copy of a log in which every event from a day on is another one of the same user: moved, changed, or left out. */
async function moveLaterEvents(from: string, to: string, day: string): Promise<void> {
  await mkdir(to);
  const random = new Random(17, 'defect', 0);
  const start = Date.parse(day);
  for (const name of (await readdir(from)).sort()) {
    const lines = (await readFile(join(from, name), 'utf8')).split('\n').filter((line) => line !== '');
    const changed = lines.flatMap((line) => {
      const raw: RawEvent = JSON.parse(line);
      if (raw.ts < start || !['Logged In', 'Cancelled'].includes(raw.auth)) return [line];
      if (random.happens(0.2)) return [];
      const other = {
        ...raw,
        ts: start + random.below(14 * 86_400_000),
        page: random.pick(PAGES),
        auth: 'Logged In',
        level: random.pick(['free', 'paid']),
        sessionId: random.below(2) * 1_000_000 + raw.sessionId,
        itemInSession: random.below(1_000_000),
        gender: random.pick(['F', 'M']),
        location: random.pick(['Atlanta, GA', 'Boston, MA']),
        registration: Date.parse('2018-09-01') + random.below(30) * 86_400_000,
      };
      return [JSON.stringify(other)];
    });
    await writeFile(join(to, name), changed.join('\n'));
  }
}

/** Leaves out some rows of people who are not signed in, and adds others. */
async function changeSignedOutPages(log: string): Promise<void> {
  for (const name of (await readdir(log)).sort()) {
    const day = name.slice(0, 10);
    const isLeftOut = (page: string): boolean =>
      (page === 'Login' && day >= '2018-11-10') || (page === 'Register' && day < '2018-11-13');
    const lines = (await readFile(join(log, name), 'utf8')).split('\n').filter((line) => line !== '');
    const kept = lines.filter((line) => !isLeftOut(JSON.parse(line).page));
    const added = day < '2018-11-13' ? [] : Array.from({ length: 10 }, (_, index) => `${index}`);
    const registering = added.map((index) =>
      JSON.stringify({
        ...event('', `${day}T10:00:0${index}Z`, { page: 'Register', auth: 'Guest', sessionId: 999_999 }),
        itemInSession: Number(index),
      }),
    );
    await writeFile(join(log, name), `${[...kept, ...registering].join('\n')}\n`);
  }
}

describe('build-features', () => {
  let folder: string;
  let server: StepServer;
  let plan: RunPlan;
  let short: RunPlan;
  let moved: readonly Record<string, Json>[];
  let rows: readonly Record<string, Json>[];
  let users: ReadonlyMap<string, readonly RawEvent[]>;
  const at = (name: string): string => join(folder, name);
  const rowOf = (userId: string, cutoff: string): Record<string, Json> | undefined =>
    rows.find((row) => row.user_id === userId && row.cutoff === cutoff);

  beforeAll(async () => {
    folder = await temporaryFolder();
    await generateLog({ ...LOG, outputFolder: at('log') });
    await changeSignedOutPages(at('log'));
    for (const edge of EDGES) {
      const file = join(at('log'), `${new Date(edge.ts).toISOString().slice(0, 10)}.json`);
      await appendFile(file, `${JSON.stringify({ ...edge, itemInSession: edge.ts % 1_000_000 })}\n`);
    }
    await mkdir(at('short log'));
    for (const name of (await readdir(at('log'))).sort().slice(0, 30))
      await writeFile(join(at('short log'), name), await readFile(join(at('log'), name)));
    plan = await writePlan(at('lake'), { runId: 'run', files: await eventFiles(at('log')) });
    short = await writePlan(at('short lake'), { runId: 'short', files: await eventFiles(at('short log')) });

    await moveLaterEvents(at('log'), at('moved log'), '2018-11-06');
    const other = await writePlan(at('moved lake'), {
      runId: 'moved',
      files: await eventFiles(at('moved log')),
      training: { observationEnd: '2018-11-20' },
    });

    server = await StepServer.start(at('server'), [ingestEvents, buildFeatures]);
    await server.runAll(ingestEvents, [plan, short, other]);
    await server.runAll(buildFeatures, [plan, other]);
    expect(await server.run(buildFeatures, short)).toMatchObject({ outcome: 'failed' });
    const all = 'SELECT * FROM features UNION ALL BY NAME SELECT *, NULL AS label FROM scoring_features';
    moved = await queryLake(at('moved lake'), all);
    rows = await queryLake(at('lake'), all);
    users = await signedInEvents(at('log'));
  });

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('takes the cutoffs of the forward protocol, and counts what it wrote', async () => {
    const result = await resultOf(buildFeatures, plan);
    expect(result.cutoffs.map(({ cutoff, role }) => ({ cutoff, role }))).toEqual(CUTOFFS);
    expect(result).toMatchObject({
      firstDay: '2018-10-01',
      // The one event of 20 November trails behind the log.
      observationEnd: '2018-11-20',
      observedDays: 50,
      featureCount: FEATURES.length,
      users: users.size,
    });
    const cancelled = [...users.values()].filter((events) => events.some(({ auth }) => auth === 'Cancelled'));
    expect(result.cancellations).toBe(cancelled.length);
    for (const { cutoff, rows: count, cancellations } of result.cutoffs) {
      const written = rows.filter((row) => row.cutoff === cutoff);
      expect(written).toHaveLength(count);
      const positives = written.filter((row) => row.label === 1).length;
      expect(cancellations).toBe(cutoff === '2018-11-20' ? null : positives);
    }
  });

  it('counts pages, levels and devices of the newest days, without the stray day after them', async () => {
    const { sources } = await resultOf(buildFeatures, plan);
    const events = await queryLake(
      at('lake'),
      `SELECT CAST(event_date AS VARCHAR) AS day, count(*) AS events, count(*) FILTER (page = 'Help') AS help,
         count(*) FILTER (page = 'Login') AS login, count(*) FILTER (level = 'paid') AS paid
       FROM events WHERE event_date < DATE '2018-11-20' GROUP BY event_date ORDER BY event_date`,
    );
    expect(sources?.days).toHaveLength(50);
    const seen = (kind: string, name: string): readonly number[] | undefined =>
      sources?.counts.find((one) => one.kind === kind && one.name === name)?.counts;
    const numbers = (column: string): readonly number[] => events.map((row) => Number(row[column]));
    expect(sources?.days.map(({ day }) => day)).toEqual(events.map(({ day }) => day));
    expect(sources?.days.map((one) => one.events)).toEqual(numbers('events'));
    expect(seen('page', 'Help')).toEqual(numbers('help'));
    expect(seen('page', 'Login')).toEqual(numbers('login'));
    expect(seen('level', 'paid')).toEqual(numbers('paid'));
    const signedIn = [...users.values()].flat();
    const devices = sources?.counts.filter(({ kind }) => kind === 'device') ?? [];
    for (const [index, { day, users: active }] of (sources?.days ?? []).entries()) {
      const own = signedIn.filter(({ ts }) => new Date(ts).toISOString().startsWith(day));
      expect(active, day).toBe(new Set(own.map(({ userId }) => userId)).size);
      expect(
        devices.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0),
        day,
      ).toBe(active);
    }
    expect(seen('device', 'Windows')?.some((count) => count > 0)).toBe(true);
  });

  it('counts them so that a page which only people see who are not signed in is named when it stops, and when it is new', async () => {
    const { sources } = await resultOf(buildFeatures, plan);
    expect(sourceChanges(sources)).toMatchObject([
      { kind: 'page', name: 'Login', change: 'quiet', day: '2018-11-09' },
      { kind: 'page', name: 'Register', change: 'new', day: '2018-11-13' },
    ]);
  });

  it('equals what one works out from the events known at each cutoff', () => {
    let compared = 0;
    for (const { cutoff, role } of CUTOFFS) {
      for (const [userId, events] of users) {
        const expected = rowAt(events, Date.parse(cutoff), FIRST_DAY, HORIZON_DAYS);
        const row = rowOf(userId, cutoff);
        if (expected === undefined) {
          expect(row, `${userId} at ${cutoff}`).toBeUndefined();
          continue;
        }
        expect(row, `${userId} at ${cutoff}`).toMatchObject({
          label: role === 'score' ? null : expected.label,
        });
        for (const [name, value] of Object.entries(expected.features)) {
          const found = row?.[name];
          const where = `${name} of ${userId} at ${cutoff}: ${found}, expected ${value}`;
          if (value === null || typeof found !== 'number') expect(found, where).toBe(value);
          // The sketch estimates; the table keeps times to the second, the events to the millisecond.
          else {
            const tolerance = name === 'artists' ? value * 0.15 : 1e-3 + value * 1e-5;
            expect(Math.abs(found - value), where).toBeLessThanOrEqual(tolerance);
          }
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(3000);
    expect(rows.filter((row) => row.label === 1).length).toBeGreaterThan(5);
  });

  it('does not change a feature when the events after the cutoff are others', () => {
    const known = (rows: readonly Record<string, Json>[]) =>
      new Map(
        rows
          .filter(({ cutoff }) => String(cutoff) <= '2018-11-06')
          .map(({ label: _, ...row }) => [`${row.user_id} ${row.cutoff}`, row]),
      );
    const [before, after] = [known(rows), known(moved)];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    expect(before.size).toBeGreaterThan(120);
    for (const [where, row] of before) {
      for (const { name } of FEATURES) {
        const [value, other] = [row[name], after.get(where)?.[name]];
        if (typeof value === 'number' && typeof other === 'number')
          // Sums of the same numbers in another order.
          expect(Math.abs(other - value), `${name} of ${where}`).toBeLessThanOrEqual(
            1e-9 * Math.max(1, value),
          );
        else expect(other, `${name} of ${where}`).toBe(value);
      }
    }
    // The test would see nothing if the future were the same.
    const futureOf = (all: readonly Record<string, Json>[]) =>
      all
        .filter(({ cutoff }) => cutoff === '2018-11-20')
        .map(({ user_id: _, ...row }) => JSON.stringify(row));
    const same = futureOf(rows).filter((row) => futureOf(moved).includes(row));
    expect(same.length).toBeLessThan(rows.length / 20);
  });

  it('knows nothing of the cutoff day itself', () => {
    expect(rowOf('at midnight', '2018-11-06')).toMatchObject({ thumbs_down_last_3_days: 1 });
    expect(rowOf('at midnight', '2018-11-20')).toMatchObject({ thumbs_down_last_28_days: 2 });
  });

  it('labels from the first moment of the window to the last', () => {
    expect(rowOf('first moment', '2018-11-06')).toMatchObject({ label: 1 });
    expect(rowOf('last moment', '2018-11-06')).toMatchObject({ label: 1 });
    expect(rowOf('too late', '2018-11-06')).toMatchObject({ label: 0 });
    expect(rowOf('too late', '2018-11-20')).toMatchObject({ label: null });
  });

  it('leaves out who cancelled before and did not come back, however short before', () => {
    expect(rows.filter((row) => row.user_id === 'gone')).toEqual([]);
    expect(rowOf('first moment', '2018-11-20')).toBeUndefined();
  });

  it('has a row of a user who came back, and a label for each cancellation', async () => {
    const labels = (userId: string) =>
      CUTOFFS.map(({ cutoff }) => rowOf(userId, cutoff)).map((row) => row?.label);
    expect(labels('back')).toEqual([undefined, undefined, 1, undefined]);
    expect(rowOf('back', '2018-11-06')).toMatchObject({ spells_before: 2, days_since_return: 8.5 });
    expect(labels('between')).toEqual([1, 0, 0, null]);
    expect(rowOf('between', '2018-10-22')).toMatchObject({ spells_before: 1 });
    expect(labels('across')).toEqual([undefined, 0, 0, null]);
    expect(await resultOf(buildFeatures, plan)).toMatchObject({ returnedUsers: 3, secondCancellations: 2 });
  });

  it('joins a session over midnights', () => {
    expect(rowOf('night owl', '2018-11-06')).toMatchObject({
      begun_sessions_last_7_days: 2,
      // By the day on which it began: within three days of the cutoff only the second one did.
      begun_sessions_last_3_days: 1,
      session_hours_last_7_days: 27,
    });
  });

  it('refuses a log that is too short, with how many days it has and needs', async () => {
    const error = await errorOf(buildFeatures, short);
    expect(error.message).toContain('needs 42 days and has 30');
    expect(error.whatToDo).toContain('add older or newer event files');
  });
});
