/** Compares a generated log with the published ones. Tolerances allow for chance among a few hundred users. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Page } from '../../domain/events.ts';
import { generated, groupBy, type Log, type Row, rowsOf } from './support.ts';

/** Page counts of the published log of 225 users (286,500 events); 0 for a page that is newer, and not generated. */
const PUBLISHED_PAGES: Readonly<Record<Page, number>> = {
  NextSong: 228_108,
  Home: 14_457,
  'Thumbs Up': 12_551,
  'Add to Playlist': 6_526,
  'Add Friend': 4_277,
  'Roll Advert': 3_933,
  Login: 3_241,
  Logout: 3_226,
  'Thumbs Down': 2_546,
  Downgrade: 2_055,
  Help: 1_726,
  Settings: 1_514,
  About: 924,
  Upgrade: 499,
  'Save Settings': 310,
  Error: 258,
  'Submit Upgrade': 159,
  'Submit Downgrade': 63,
  Cancel: 52,
  'Cancellation Confirmation': 52,
  Register: 18,
  'Submit Registration': 5,
};
const PUBLISHED_EVENTS = 286_500;
const DAY_MILLISECONDS = 86_400_000;

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const share = <T>(items: readonly T[], holds: (item: T) => boolean): number =>
  items.filter(holds).length / items.length;
const quantile = (numbers: readonly number[], at: number): number =>
  numbers.toSorted((one, other) => one - other)[Math.floor(at * numbers.length)] ?? Number.NaN;

interface User {
  readonly rows: readonly Row[];
  readonly songs: number;
  readonly sessions: number;
  readonly hasCancelled: boolean;
  /** Rows of a page per song (adverts: per song on the free level). */
  readonly rateOf: (page: Page) => number;
}

function userOf(rows: readonly Row[]): User {
  const count = (page: Page, of: readonly Row[] = rows) => of.filter((row) => row.page === page).length;
  const free = rows.filter(({ level }) => level === 'free');
  return {
    rows,
    songs: count('NextSong'),
    sessions: new Set(rows.map(({ sessionId }) => sessionId)).size,
    hasCancelled: count('Cancellation Confirmation') > 0,
    rateOf: (page) =>
      page === 'Roll Advert' ? count(page, free) / count('NextSong', free) : count(page) / count('NextSong'),
  };
}

/** All tests read one log; chance alone moves the share of users who cancel by 2 % either way. */
const USERS = 450;

let log: Log;
let rows: Row[];
let users: User[];
beforeAll(async () => {
  log = await generated({ users: USERS, days: 62, seed: 2018 });
  rows = rowsOf(log);
  const byUser = groupBy(rows, ({ userId }) => userId);
  users = [...byUser].filter(([userId]) => userId !== '').map(([, own]) => userOf(own));
}, 30_000);

describe('a generated log of two months', () => {
  it('has the published shares of pages', () => {
    const counts = groupBy(rows, ({ page }) => page);
    for (const [page, published] of Object.entries(PUBLISHED_PAGES)) {
      const found = counts.get(page)?.length ?? 0;
      if (published === 0) expect(found, page).toBe(0);
      if (published === 0) continue;
      const expected = published / PUBLISHED_EVENTS;
      const ratio = found / rows.length / expected;
      const tolerance = expected > 0.02 ? 0.12 : expected > 0.0005 ? 0.25 : 0.8;
      expect(ratio, page).toBeGreaterThan(1 - tolerance);
      expect(ratio, page).toBeLessThan(1 + tolerance);
    }
  });

  it.each([
    ['auth', 'Logged In', 278_102, 0.01],
    ['auth', 'Logged Out', 8_249, 0.1],
    ['status', 200, 259_812, 0.01],
    ['status', 307, 26_430, 0.05],
    ['status', 404, 258, 0.25],
    ['method', 'PUT', 261_064, 0.01],
    ['method', 'GET', 25_436, 0.1],
    ['level', 'paid', 228_162, 0.05],
    ['level', 'free', 58_338, 0.2],
  ] as const)('has the published share of %s %s', (column, value, published, tolerance) => {
    const ratio = share(rows, (row) => row[column] === value) / (published / PUBLISHED_EVENTS);
    expect(ratio).toBeGreaterThan(1 - tolerance);
    expect(ratio).toBeLessThan(1 + tolerance);
  });

  it('has about 22 % of its users cancel', () => {
    expect(log.summary.users).toBeGreaterThan(0.95 * USERS);
    expect(log.summary.cancellations / log.summary.users).toBeGreaterThan(0.17);
    expect(log.summary.cancellations / log.summary.users).toBeLessThan(0.27);
  });

  it('has many of these users cancel early', () => {
    const start = Date.parse('2018-10-01T00:00:00Z');
    const cancels = rows.filter(({ page }) => page === 'Cancellation Confirmation');
    const early = cancels.filter(({ ts }) => ts < start + 14 * DAY_MILLISECONDS).length / log.summary.users;
    expect(early).toBeGreaterThan(0.035);
    expect(early).toBeLessThan(0.1);
  });

  it('confirms cancellations about half a minute after they are requested', () => {
    const waits = users.flatMap(({ rows: own, hasCancelled }) =>
      hasCancelled ? [((own.at(-1)?.ts ?? 0) - (own.at(-2)?.ts ?? 0)) / 1_000] : [],
    );
    expect(quantile(waits, 0.5)).toBeGreaterThan(20);
    expect(quantile(waits, 0.5)).toBeLessThan(55);
  });

  it('has as many sessions and songs per user as the published log', () => {
    const sessions = mean(users.map((user) => user.sessions));
    expect(sessions).toBeGreaterThan(10);
    expect(sessions).toBeLessThan(16);
    const perSession = rows.length / users.reduce((sum, user) => sum + user.sessions, 0);
    expect(perSession).toBeGreaterThan(75);
    expect(perSession).toBeLessThan(105);
    const songs = users.map((user) => user.songs);
    for (const [at, published] of [
      [0.25, 204],
      [0.5, 553],
      [0.75, 1_260],
      [0.95, 3_184],
    ] as const) {
      expect(quantile(songs, at) / published).toBeGreaterThan(0.75);
      expect(quantile(songs, at) / published).toBeLessThan(1.35);
    }
  });

  it('leaves at least half an hour between the sessions of a user', () => {
    const breaks = users.flatMap(({ rows: own }) =>
      own.flatMap((row, index) => {
        const before = own[index - 1];
        return before === undefined || before.sessionId === row.sessionId ? [] : [row.ts - before.ts];
      }),
    );
    expect(Math.min(...breaks)).toBeGreaterThanOrEqual(30 * 60_000);
  });

  it('plays songs of the right lengths, by many artists, some of them oddly written', () => {
    const songs = rows.filter(({ page }) => page === 'NextSong');
    const lengths = songs.map(({ length = Number.NaN }) => length);
    expect(mean(lengths)).toBeCloseTo(249, -1);
    expect(Math.sqrt(mean(lengths.map((length) => (length - 249) ** 2)))).toBeCloseTo(99, -1);
    expect(new Set(songs.map(({ artist }) => artist)).size).toBeGreaterThan(10_000);
    const text = songs.map(({ artist, song }) => `${artist}\t${song}`);
    for (const oddity of [/Ã\u0083Â/, /[\u0080-\u009f]/, /"/, /\\/, /^None\t/, /^!!!\t/]) {
      expect(
        text.some((line) => oddity.test(line)),
        String(oddity),
      ).toBe(true);
    }
  });

  it('follows the hours of the day and rests at weekends', () => {
    const starts = users.flatMap(({ rows: own }) => [
      ...groupBy(own, ({ sessionId }) => String(sessionId)).values(),
    ]);
    const times = starts.map(([first]) => new Date(first?.ts ?? 0));
    expect(share(times, (time) => [13, 14, 15, 16].includes(time.getUTCHours()))).toBeGreaterThan(0.25);
    expect(share(times, (time) => [2, 3, 4, 5].includes(time.getUTCHours()))).toBeLessThan(0.15);
    expect(share(times, (time) => [0, 6].includes(time.getUTCDay()))).toBeLessThan(0.22);
  });

  it('has users as diverse as those of the published log', () => {
    const firsts = users.flatMap(({ rows: [first] }) => (first === undefined ? [] : [first]));
    expect(share(firsts, ({ gender }) => gender === 'M')).toBeCloseTo(0.52, 1);
    expect(new Set(firsts.map(({ location }) => location)).size).toBeGreaterThan(80);
    expect(share(firsts, ({ userAgent = '' }) => userAgent.startsWith('"'))).toBeGreaterThan(0.5);
    expect(share(firsts, ({ registration = 0, ts }) => registration > ts)).toBeGreaterThan(0);
    expect(share(firsts, ({ registration = 0, ts }) => registration > ts)).toBeLessThan(0.03);
    expect(share(firsts, ({ level }) => level === 'paid')).toBeCloseTo(0.22, 1);
  });
});

describe('what a model can learn from a generated log', () => {
  const churnOf = (of: readonly User[]): number => share(of, ({ hasCancelled }) => hasCancelled);
  const listeners = (): User[] => users.filter(({ songs }) => songs >= 100);

  it('is that users who dislike many songs cancel more', () => {
    const grumpy = listeners().filter((user) => user.rateOf('Thumbs Down') > 0.022);
    expect(grumpy.length).toBeGreaterThan(25);
    expect(churnOf(grumpy)).toBeGreaterThan(1.3 * churnOf(listeners()));
  });

  it('is that users who like many songs cancel less', () => {
    const happy = listeners().filter((user) => user.rateOf('Thumbs Up') > 0.075);
    expect(happy.length).toBeGreaterThan(25);
    expect(churnOf(happy)).toBeLessThan(0.7 * churnOf(listeners()));
  });

  it('is that users who hear many adverts cancel most', () => {
    const ridden = users.filter(
      (user) => user.rows.filter(({ level, page }) => level === 'free' && page === 'NextSong').length >= 60,
    );
    const heavy = ridden.filter((user) => user.rateOf('Roll Advert') > 0.12);
    expect(heavy.length / ridden.length).toBeGreaterThan(0.06);
    expect(heavy.length / ridden.length).toBeLessThan(0.2);
    expect(churnOf(heavy)).toBeGreaterThan(0.33);
    expect(churnOf(heavy)).toBeGreaterThan(1.8 * churnOf(ridden.filter((user) => !heavy.includes(user))));
  });

  it('is not that they listen less before they cancel', () => {
    const week = 7 * DAY_MILLISECONDS;
    const ratios = users.flatMap(({ rows: own, hasCancelled }) => {
      const end = own.at(-1)?.ts ?? 0;
      if (!hasCancelled || (own[0]?.ts ?? 0) > end - 4 * week) return [];
      const within = (from: number, to: number) =>
        own.filter(({ ts }) => ts > end - from && ts <= end - to).length;
      return [[within(week, 0), within(4 * week, week) / 3] as const];
    });
    expect(ratios.length).toBeGreaterThan(20);
    expect(mean(ratios.map(([last]) => last))).toBeGreaterThan(
      0.9 * mean(ratios.map(([, before]) => before)),
    );
  });
});
