/** What `churn backtest` takes from a lake, and what it shows. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backtest } from '../../bin/commands/backtest/backtest.ts';
import { backtestText } from '../../bin/commands/backtest/backtest-text.ts';
import { cancelledWithin, copyEventsBefore, daysOfEvents } from '../../bin/commands/backtest/log-before.ts';
import { EVENTS } from '../../domain/lake.ts';

const DUCKDB_TYPES: Readonly<Record<string, string>> = { string: 'VARCHAR', timestamp_ntz: 'TIMESTAMP' };

describe('the log as it was on a day', () => {
  let folder: string;
  let connection: DuckDBConnection;
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'churn-backtest-test-'));
    connection = await (await DuckDBInstance.create(':memory:')).connect();
    const columns = EVENTS.columns.map(({ name, type }) => `${name} ${DUCKDB_TYPES[type] ?? type}`);
    await connection.run(`CREATE TABLE events (${columns.join(', ')})`);
    const event = (user: string, time: string, page: string) =>
      `INSERT INTO events (event_date, event_time, user_id, page, item_in_session, registered_at)
       VALUES (DATE '${time.slice(0, 10)}', TIMESTAMP '${time}', '${user}', '${page}', 7, TIMESTAMP '2018-09-01 10:00:00.5')`;
    for (const [user, time, page] of [
      ["o''neil", '2018-11-16 23:59:59.999', 'NextSong'],
      ['gone', '2018-11-16 12:00:00', 'Cancellation Confirmation'],
      ['first', '2018-11-17 00:00:00', 'Cancellation Confirmation'],
      ['last', '2018-11-30 23:59:59.999', 'Cancellation Confirmation'],
      ['late', '2018-12-01 00:00:00', 'Cancellation Confirmation'],
      ['visitor', '2018-11-20 00:00:00', 'Cancel'],
    ] as const)
      await connection.run(event(user, time, page));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has the events before that day only, with the raw columns', async () => {
    const file = join(folder, "o'log.json");
    await connection.run(copyEventsBefore('2018-11-17', file));
    const lines = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({
      ts: Date.parse('2018-11-16T23:59:59.999Z'),
      userId: "o'neil",
      page: 'NextSong',
      itemInSession: 7,
      registration: Date.parse('2018-09-01T10:00:00.500Z'),
      artist: null,
    });
    expect(Object.keys(Object(lines[0]))).toEqual(
      EVENTS.columns.flatMap((column) => ('from' in column ? (column.from ?? []) : [])),
    );
    const [days] = await rows(daysOfEvents('2018-11-17'));
    expect(days).toMatchObject({ first_day: '2018-11-16', last_day: '2018-12-01', before: '2' });
  });

  it('is followed by who cancelled from the first moment of the window to the last', async () => {
    const cancelled = await rows(cancelledWithin('2018-11-17', 14));
    expect(cancelled.map(({ user_id: id }) => id).sort()).toEqual(['first', 'last']);
  });
});

describe('a backtest as text', () => {
  const estimate = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
  const figures = {
    users: 2_210,
    cancelled: 93,
    auc: estimate(0.742),
    averagePrecisionRatio: estimate(2.9),
    liftAt10: estimate(3.1),
    predictedObserved: estimate(1.09),
  };
  const found: Backtest = {
    asOf: '2018-11-17',
    horizonDays: 14,
    runId: 'run-1',
    model: 'boosted_trees',
    reason: 'the first model: it beats every baseline',
    testCutoff: '2018-11-03',
    notScored: 0,
    predicted: 101.3,
    future: figures,
    ownTest: { ...figures, auc: estimate(0.751), liftAt10: undefined },
  };

  it('has what came beside the test of the run, with intervals', () => {
    const text = backtestText(found);
    expect(text).toContain('As of 2018-11-17 2,210 users were scored by ');
    expect(text).toContain('93 of them cancelled, and 101.3 were predicted.');
    expect(text).toMatch(/AUC +0\.742 \(0\.642 to 0\.842\) +0\.751 \(0\.651 to 0\.851\)/);
    expect(text).toMatch(/predicted \/ observed +1\.09 \(0\.99 to 1\.19\)/);
    expect(text).toMatch(/3\.10 \(3\.00 to 3\.20\) +–/);
    expect(text).not.toContain('more cancelled');
  });

  it('says when no model could be put in charge, and whom it had not scored', () => {
    const text = backtestText({
      ...found,
      model: null,
      reason: 'nobody is in charge: too few',
      notScored: 3,
    });
    expect(text).toContain(
      'no model could be put in charge: 2,210 users had the base rate.\nnobody is in charge: too few.',
    );
    expect(text).toContain('3 more cancelled');
  });
});
