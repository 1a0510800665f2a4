import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { PSEUDO_USER_IDS, RAW_COLUMNS, SECONDS_PER_DAY } from '../../domain/events.ts';
import { GenerateError, generateLog } from '../../generator/generate.ts';
import { generated, groupBy, type Log, type Row, rowsOf, withFolder } from './support.ts';

const DAY_MILLISECONDS = SECONDS_PER_DAY * 1_000;
const OPTIONS = { users: 80, days: 20, seed: 11 };

describe('a generated log', () => {
  let log: Log;
  let rows: Row[];
  beforeAll(async () => {
    log = await generated(OPTIONS);
    rows = rowsOf(log);
  });

  it('is identical to the byte for the same seed', async () => {
    const again = await generated(OPTIONS);
    expect([...again.files.keys()]).toEqual([...log.files.keys()]);
    for (const [name, bytes] of again.files) expect(log.files.get(name)?.equals(bytes), name).toBe(true);
    expect(again.summary).toEqual(log.summary);
  });

  it('differs for another seed', async () => {
    const other = await generated({ ...OPTIONS, seed: 12 });
    expect(other.files.get('2018-10-05.json')?.equals(log.files.get('2018-10-05.json') ?? Buffer.of())).toBe(
      false,
    );
  });

  it('begins like a shorter log of the same seed', async () => {
    const shorter = await generated({ ...OPTIONS, days: 7 });
    for (const [name, bytes] of shorter.files) expect(log.files.get(name)?.equals(bytes), name).toBe(true);
  });

  it('gives a user the same events however many other users there are', async () => {
    const eventsOfUser = (of: readonly Row[]) =>
      of.filter(({ userId }) => userId === '4').map(({ ts, page, song }) => [ts, page, song]);
    const more = rowsOf(await generated({ ...OPTIONS, users: 200 }));
    expect(eventsOfUser(rows).length).toBeGreaterThan(0);
    expect(eventsOfUser(more)).toEqual(eventsOfUser(rows));
  });

  it('has one file per UTC day, each with the events of that day in order', () => {
    expect(log.files.size).toBe(OPTIONS.days);
    for (const [name, bytes] of log.files) {
      const times = rowsOf({ ...log, files: new Map([[name, bytes]]) }).map(({ ts }) => ts);
      const midnight = Date.parse(`${name.slice(0, -'.json'.length)}T00:00:00Z`);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect(times.every((ts) => ts >= midnight && ts < midnight + DAY_MILLISECONDS)).toBe(true);
    }
  });

  it('is described correctly by its summary', () => {
    const own = rows.filter(({ userId }) => userId !== '');
    expect(log.summary).toEqual({
      events: rows.length,
      users: new Set(own.map(({ userId }) => userId)).size,
      cancellations: rows.filter(({ page }) => page === 'Cancellation Confirmation').length,
      files: log.files.size,
      bytes: [...log.files.values()].reduce((sum, { length }) => sum + length, 0),
      mostEventsInMemory: expect.any(Number),
    });
  });

  it('never has more events in memory than its busiest day has', () => {
    const perDay = groupBy(rows, ({ ts }) => String(Math.floor(ts / DAY_MILLISECONDS)));
    expect(log.summary.mostEventsInMemory).toBe(
      Math.max(...[...perDay.values()].map(({ length }) => length)),
    );
    expect(log.summary.mostEventsInMemory).toBeLessThan(rows.length / 8);
  });

  it('has all columns of the raw log and no others', () => {
    const columns = new Set(rows.flatMap((row) => Object.keys(row)));
    expect([...columns].sort()).toEqual(RAW_COLUMNS.map(({ name }) => name).sort());
  });

  it('names a song only in rows of songs, and a person only in rows of users', () => {
    const keys = (row: Row): string => Object.keys(row).join(',');
    const nobody = 'ts,userId,sessionId,page,auth,method,status,level,itemInSession';
    const user = `${nobody},location,userAgent,lastName,firstName,registration,gender`;
    for (const row of rows) {
      const isUser = row.auth === 'Logged In' || row.auth === 'Cancelled';
      expect(keys(row)).toBe(
        isUser ? (row.page === 'NextSong' ? `${user},artist,song,length` : user) : nobody,
      );
      expect(PSEUDO_USER_IDS.includes(row.userId)).toBe(!isUser);
    }
  });

  it('ends the events of a user who cancels with Cancel and Cancellation Confirmation', () => {
    for (const [userId, own] of groupBy(rows, ({ userId }) => userId)) {
      if (userId === '') continue;
      const confirmed = own.findIndex(({ page }) => page === 'Cancellation Confirmation');
      if (confirmed < 0) continue;
      expect(confirmed).toBe(own.length - 1);
      expect(own[confirmed - 1]?.page).toBe('Cancel');
      expect(own[confirmed]?.auth).toBe('Cancelled');
    }
  });

  it('numbers the events of a session in increasing order, and uses a session number for several users', () => {
    const own = rows.filter(({ userId }) => userId !== '');
    const sessions = groupBy(own, ({ userId, sessionId }) => `${userId}/${sessionId}`);
    for (const session of sessions.values()) {
      const items = session.map(({ itemInSession }) => itemInSession);
      expect(items).toEqual([...new Set(items)].toSorted((one, other) => one - other));
    }
    expect(new Set(own.map(({ sessionId }) => sessionId)).size).toBeLessThan(sessions.size);
  });

  it('has no duplicate rows', () => {
    const keys = rows.map((row) =>
      [row.userId, row.ts, row.sessionId, row.itemInSession, row.page].join('/'),
    );
    expect(new Set(keys).size).toBe(rows.length);
  });

  it('continues sessions across midnight', () => {
    const days = (session: Row[]) => new Set(session.map(({ ts }) => Math.floor(ts / DAY_MILLISECONDS))).size;
    const sessions = groupBy(rows, ({ userId, sessionId }) => `${userId}/${sessionId}`);
    expect([...sessions.values()].filter((session) => days(session) > 1).length).toBeGreaterThan(10);
  });
});

describe('generateLog', () => {
  it('reports its progress after each day', async () => {
    await withFolder(async (outputFolder) => {
      const reported: [number, string][] = [];
      const summary = await generateLog(
        { users: 20, days: 3, seed: 1, startDate: '2024-02-28', outputFolder },
        (events, day) => reported.push([events, day]),
      );
      expect(reported.map(([, day]) => day)).toEqual(['2024-02-28', '2024-02-29', '2024-03-01']);
      expect(reported.at(-1)?.[0]).toBe(summary.events);
    });
  });

  it.each([
    [{ users: 0 }, /users/],
    [{ users: 1.5 }, /users/],
    [{ days: 0 }, /days/],
    [{ seed: Number.NaN }, /seed/],
    [{ startDate: '2018-02-30' }, /startDate/],
    [{ startDate: 'yesterday' }, /startDate/],
  ])('refuses %o', async (wrong, message) => {
    const outputFolder = '/nowhere/at/all';
    const attempt = generateLog({ users: 1, days: 1, seed: 1, outputFolder, ...wrong });
    await expect(attempt).rejects.toThrow(GenerateError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('refuses a folder that contains event files, rather than mixing two logs', async () => {
    await withFolder(async (outputFolder) => {
      await writeFile(join(outputFolder, '2018-10-01.json.gz'), '');
      await expect(generateLog({ users: 1, days: 1, seed: 1, outputFolder })).rejects.toThrow(
        /2018-10-01.json.gz/,
      );
    });
  });
});
