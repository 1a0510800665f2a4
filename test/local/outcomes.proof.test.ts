/**
 * What came true of a real run: a model in charge makes a list, three weeks of events come, and the next run counts. Everything
 * is worked out again from the raw events and the scores.
 */
import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHURN_EVENT } from '../../domain/events.ts';
import { CURRENT } from '../../domain/lake-objects.ts';
import { type OutcomeRow, outcomeRowSchema } from '../../domain/outcomes.ts';
import { addDays } from '../../domain/time.ts';
import { generateLog } from '../../generator/generate.ts';
import type { RunSummary } from '../../local/run/run-summary.ts';
import { successfulRun } from '../support/command-line.ts';
import { queryLake, temporaryFolder } from '../support/spark-lake.ts';

const LOG = { users: 1_500, days: 77, seed: 3 };
/** The first run knows the events before this day; its horizon of 14 days is over before the log ends. */
const FIRST_DAYS = 55;
const HORIZON_DAYS = 14;

interface Scored {
  readonly probability: number;
  readonly decile: number;
  readonly isControl: boolean;
  readonly isWorth: boolean;
  readonly cancelled: boolean;
}

describe('the outcome of a run with a model in charge', () => {
  let folder: string;
  let lake: string;
  let first: RunSummary;
  let second: RunSummary;
  let cutoff: string;
  let scored: readonly Scored[];
  let outcomes: readonly OutcomeRow[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    lake = join(folder, 'lake');
    const [all, log] = [join(folder, 'all'), join(folder, 'log')];
    await generateLog({ ...LOG, outputFolder: all });
    await mkdir(log);
    const files = (await readdir(all)).sort();
    const deliver = async (names: readonly string[]): Promise<void> => {
      for (const name of names) await cp(join(all, name), join(log, name));
    };
    await deliver(files.slice(0, FIRST_DAYS));
    first = await successfulRun(lake, log);
    cutoff = addDays((files[0] ?? '').slice(0, 10), FIRST_DAYS);
    await deliver(files.slice(FIRST_DAYS));
    second = await successfulRun(lake, log, '--train', 'never');
    scored = await whatCame(lake, first.runId, await cancelledFrom(all, cutoff));
    const rows = await queryLake(lake, 'SELECT * FROM outcomes');
    outcomes = rows.map((row) =>
      outcomeRowSchema.parse({ ...row, users: Number(row.users), observed: Number(row.observed) }),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is of a run whose own model is in charge, and has a list and control users beside it', async () => {
    expect([first.status, second.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    const current = JSON.parse(await readFile(join(lake, CURRENT.key), 'utf8'));
    expect(current.champion.runId).toBe(first.runId);
    for (const isControl of [false, true]) {
      expect(scored.filter((user) => user.isWorth && user.isControl === isControl).length).toBeGreaterThan(0);
    }
    expect(scored.some(({ cancelled }) => cancelled)).toBe(true);
  });

  it('is counted once, by the run that came next', () => {
    expect(new Set(outcomes.map((row) => row.run_id))).toEqual(new Set([first.runId]));
    for (const row of outcomes) {
      expect(row).toMatchObject({
        cutoff,
        horizon_end: addDays(cutoff, HORIZON_DAYS),
        measured_by: second.runId,
      });
    }
  });

  it('equals what the raw events say of all users, of each tenth, of the list and of the control users', () => {
    const deciles = [...new Set(scored.map(({ decile }) => decile))].sort((a, b) => a - b);
    expect(deciles).toHaveLength(10);
    const worth = scored.filter(({ isWorth }) => isWorth);
    const expected = [
      counted('all', null, scored),
      ...deciles.map((decile) =>
        counted(
          'decile',
          decile,
          scored.filter((user) => user.decile === decile),
        ),
      ),
      counted(
        'list',
        null,
        worth.filter(({ isControl }) => !isControl),
      ),
      counted(
        'control',
        null,
        worth.filter(({ isControl }) => isControl),
      ),
    ];
    expect(outcomes).toHaveLength(expected.length);
    for (const { part, decile, predicted, ...numbers } of expected) {
      const found = outcomes.find((row) => row.part === part && row.decile === decile);
      expect(found, `${part} ${decile}`).toMatchObject(numbers);
      expect(found?.predicted, `${part} ${decile}`).toBeCloseTo(predicted, 6);
    }
  });

  it('has the effect of the list: the share of the control users who cancelled minus that of the list', () => {
    const share = (isControl: boolean): number => {
      const users = scored.filter((user) => user.isWorth && user.isControl === isControl);
      return users.filter(({ cancelled }) => cancelled).length / users.length;
    };
    const list = outcomes.find(({ part }) => part === 'list');
    expect(list?.effect).toBeCloseTo(share(true) - share(false), 9);
    expect(list?.effect_low).toBeLessThanOrEqual(list?.effect ?? Number.NaN);
    expect(list?.effect_high).toBeGreaterThanOrEqual(list?.effect ?? Number.NaN);
  });
});

/** Users who cancelled in the days of the horizon, read from the event files themselves. */
async function cancelledFrom(log: string, cutoff: string): Promise<ReadonlySet<string>> {
  const end = addDays(cutoff, HORIZON_DAYS);
  const cancelled = new Set<string>();
  for (const name of await readdir(log)) {
    for (const line of (await readFile(join(log, name), 'utf8')).split('\n')) {
      if (!line.includes(CHURN_EVENT.page)) continue;
      const { ts, userId, page } = JSON.parse(line);
      const day = new Date(ts).toISOString().slice(0, 10);
      if (page === CHURN_EVENT.page && day >= cutoff && day < end) cancelled.add(String(userId));
    }
  }
  return cancelled;
}

async function whatCame(
  lake: string,
  runId: string,
  cancelled: ReadonlySet<string>,
): Promise<readonly Scored[]> {
  const rows = await queryLake(lake, `SELECT * FROM scores WHERE run_id = '${runId}'`);
  return rows.map((row) => ({
    probability: Number(row.probability),
    decile: Number(row.decile),
    isControl: row.in_control_group === true,
    isWorth: row.worth_contacting === true,
    cancelled: cancelled.has(String(row.user_id)),
  }));
}

function counted(part: string, decile: number | null, users: readonly Scored[]) {
  return {
    part,
    decile,
    users: users.length,
    predicted: users.reduce((sum, { probability }) => sum + probability, 0),
    observed: users.filter(({ cancelled }) => cancelled).length,
  };
}
