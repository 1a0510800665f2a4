/** The notebook runs headless on a small lake; the data of its figures is computed a second time, from the raw log. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { generateLog } from '../../generator/generate.ts';
import { locate, projectRoot } from '../../setup/environment.mjs';
import { eventFiles, SparkBench, temporaryFolder, writePlan } from '../support/spark-lake.ts';

const NOTEBOOKS = join(projectRoot, 'notebooks');
const PYTHON = join(locate(projectRoot).notebookFolder, 'bin', 'python');
const program = (name: string): string => new URL(name, import.meta.url).pathname;

const ratesSchema = z.array(z.looseObject({ users: z.number(), cancelled: z.number(), share: z.number() }));
const answerSchema = z.object({
  figures: z.number(),
  frames: z.object({
    by_level: ratesSchema,
    by_gender: ratesSchema,
    by_device: ratesSchema,
    by_state: ratesSchema,
    by_hour: z.array(z.object({ group: z.string(), hour: z.number(), share: z.number() })),
    page_mix: z.array(z.object({ page: z.string(), stayed: z.number(), cancelled: z.number() })),
  }),
});
const FRAMES = Object.keys(answerSchema.shape.frames.shape);

const eventSchema = z.looseObject({
  ts: z.number(),
  userId: z.union([z.string(), z.number()]).transform(String),
  auth: z.string(),
  page: z.string(),
  sessionId: z.number(),
  level: z.string(),
  gender: z.string().optional(),
  location: z.string().optional(),
});
type Event = z.infer<typeof eventSchema>;

interface User {
  last: Event;
  cancelled: boolean;
  readonly pages: Map<string, number>;
  readonly hoursOfDay: number[];
  /** First and last event of each session on each day. */
  readonly stretches: Map<string, { from: number; to: number }>;
}

let folder: string;
let users: readonly User[];
let answer: z.infer<typeof answerSchema>;

beforeAll(async () => {
  folder = await temporaryFolder();
  const [log, lake] = [join(folder, 'log'), join(folder, 'lake')];
  await generateLog({ users: 90, days: 40, seed: 11, outputFolder: log });
  await mkdir(join(folder, 'bench'));
  const plan = await writePlan(lake, { runId: 'run-1', files: await eventFiles(log) });
  await new SparkBench(join(folder, 'bench'), ingestEvents).runAll([plan]);
  users = usersOf(await eventsOf(log));
  const { stdout } = await execa(
    PYTHON,
    [program('./run_notebook.py'), join(NOTEBOOKS, 'explore.ipynb'), ...FRAMES],
    { env: { CHURN_LAKE: lake } },
  );
  answer = answerSchema.parse(JSON.parse(stdout.split('\n').at(-1) ?? ''));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('draws every figure', () => {
  expect(answer.figures).toBe(7);
});

test('by level, gender and state, as many users and cancellations as the log has', () => {
  const counted = (by: (user: User) => string | undefined): Record<string, [number, number]> => {
    const counts: Record<string, [number, number]> = {};
    for (const user of users) {
      const key = by(user);
      if (key === undefined) continue;
      const [all, cancelled] = counts[key] ?? [0, 0];
      counts[key] = [all + 1, cancelled + (user.cancelled ? 1 : 0)];
    }
    return counts;
  };
  const shown = (frame: z.infer<typeof ratesSchema>, column: string): Record<string, [number, number]> =>
    Object.fromEntries(frame.map((row) => [String(row[column]), [row.users, row.cancelled]]));
  const { by_level, by_gender, by_device, by_state } = answer.frames;
  expect(shown(by_level, 'level')).toEqual(counted(({ last }) => last.level));
  expect(shown(by_gender, 'gender')).toEqual(counted(({ last }) => last.gender));
  expect(shown(by_state, 'state')).toEqual(
    counted(({ last }) => /, ([A-Z]{2})/.exec(last.location ?? '')?.[1]),
  );
  expect(by_device.reduce((sum, row) => sum + row.users, 0)).toBe(users.length);
  expect(users.filter(({ cancelled }) => cancelled).length).toBeGreaterThan(5);
});

test('by hour, the shares of the songs that the log has', () => {
  for (const group of ['stayed', 'cancelled']) {
    const songs = Array.from({ length: 24 }, (_, hour) =>
      users
        .filter(({ cancelled }) => cancelled === (group === 'cancelled'))
        .reduce((sum, { hoursOfDay }) => sum + (hoursOfDay[hour] ?? 0), 0),
    );
    const all = songs.reduce((sum, count) => sum + count, 0);
    for (const row of answer.frames.by_hour.filter((shown) => shown.group === group)) {
      expect(row.share).toBeCloseTo((songs[row.hour] ?? 0) / all, 9);
    }
  }
});

test('the page mix is events per hour between the first and last event of each session and day', () => {
  const rate = (page: string, cancelled: boolean): number => {
    const group = users.filter((user) => user.cancelled === cancelled);
    const events = group.reduce((sum, { pages }) => sum + (pages.get(page) ?? 0), 0);
    const milliseconds = group.reduce(
      (sum, { stretches }) => sum + [...stretches.values()].reduce((s, { from, to }) => s + to - from, 0),
      0,
    );
    return events / (milliseconds / 3_600_000);
  };
  expect(answer.frames.page_mix).toHaveLength(14);
  for (const { page, stayed, cancelled } of answer.frames.page_mix) {
    expect(stayed, page).toBeCloseTo(rate(page, false), 6);
    expect(cancelled, page).toBeCloseTo(rate(page, true), 6);
  }
});

test('Athena’s answer becomes the same kind of frame', async () => {
  const { stdout } = await execa(PYTHON, [program('./athena_rows.py'), NOTEBOOKS]);
  expect(JSON.parse(stdout)).toEqual({
    asked: {
      QueryString: 'SELECT 1',
      WorkGroup: 'churn-prod',
      QueryExecutionContext: { Database: 'churn_prod' },
    },
    rows: [
      { user_id: '7', hours: 1.5, songs: 12, cancelled: true, at: '2018-10-01T10:00:00.000' },
      { user_id: '8', hours: null, songs: 3, cancelled: false, at: '2018-10-02T00:00:00.000' },
    ],
    types: expect.objectContaining({ hours: 'float64', songs: 'int64', cancelled: 'bool' }),
  });
});

async function eventsOf(log: string): Promise<readonly Event[]> {
  const files = await Promise.all((await readdir(log)).map((name) => readFile(join(log, name), 'utf8')));
  return files.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => eventSchema.parse(JSON.parse(line)))
      .filter(({ userId, auth }) => userId !== '' && ['Logged In', 'Cancelled'].includes(auth)),
  );
}

function usersOf(events: readonly Event[]): readonly User[] {
  const found = new Map<string, User>();
  for (const event of events) {
    const user = found.get(event.userId) ?? {
      last: event,
      cancelled: false,
      pages: new Map<string, number>(),
      hoursOfDay: [],
      stretches: new Map<string, { from: number; to: number }>(),
    };
    found.set(event.userId, user);
    const at = new Date(event.ts);
    if (event.ts >= user.last.ts) user.last = event;
    if (event.page === 'Cancellation Confirmation') user.cancelled = true;
    user.pages.set(event.page, (user.pages.get(event.page) ?? 0) + 1);
    if (event.page === 'NextSong')
      user.hoursOfDay[at.getUTCHours()] = (user.hoursOfDay[at.getUTCHours()] ?? 0) + 1;
    const key = `${event.sessionId} ${at.toISOString().slice(0, 10)}`;
    const stretch = user.stretches.get(key) ?? { from: event.ts, to: event.ts };
    user.stretches.set(key, { from: Math.min(stretch.from, event.ts), to: Math.max(stretch.to, event.ts) });
  }
  return [...found.values()];
}
