/**
 * One Spark application for all steps of a run comes to what a spark-submit for each step comes to: on the same log, every
 * table, every result and the list are equal but for what is listed here.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { HOMOGENEITY, OUTCOMES, TABLES, type Table } from '../../domain/lake.ts';
import { CAMPAIGN, CHOICE, STEP_RESULT, TRAINING_DECISION } from '../../domain/lake-objects.ts';
import { STEP_NAMES } from '../../domain/run.ts';
import { generateLog } from '../../generator/generate.ts';
import { sharedEngine } from '../../local/spark/shared-engine.ts';
import type { StepRunner } from '../../local/spark/step-runner.ts';
import { sparkSubmit } from '../../local/spark/submit.ts';
import { runOnThisMachine } from '../cluster/local-run.ts';
import { queryLake, temporaryFolder } from '../support/spark-lake.ts';

const MINUTE = 60_000;
/** The smallest log of which a model is put in charge, so that there are scores with reasons, and a list. */
const LOG = { users: 200, days: 60, seed: 3, dirty: true } as const;
const REQUEST = { maxQuarantineShare: 1 } as const;
const BOOSTING_WORKERS = 1;

/** Columns by table that hold the id of the run or a time of the clock; batches have the same ids, because the log is the same. */
const IDS_AND_TIMES: Readonly<Record<string, readonly string[]>> = {
  quarantined_events: ['ingest_date'],
  scores: ['run_id'],
  model_metrics: ['run_id'],
  runs: ['run_id', 'started_at', 'ended_at'],
  segments: ['run_id'],
  exploration: ['run_id'],
  survival: ['run_id'],
  hazards: ['run_id'],
  homogeneity: ['run_id'],
  drivers: ['run_id'],
  feature_ranges: ['run_id'],
};
/** Fields of results that hold a duration, or the id of a snapshot; the version of a cutoff is one. */
const DURATIONS_AND_SNAPSHOTS: readonly string[] = ['fitSeconds', 'snapshots', 'featuresSnapshot', 'version'];
/** A first run knows no outcomes, and so few users are no log to take samples of. */
const WITHOUT_ROWS: readonly string[] = [OUTCOMES.name, HOMOGENEITY.name];

interface Run {
  readonly lake: string;
  readonly runId: string;
  /** The process of each step. */
  readonly processes: readonly number[];
}

let folder: string;
let shared: Run;
let separate: Run;

async function run(name: string, runner: StepRunner): Promise<Run> {
  const lake = join(folder, name);
  const processes: number[] = [];
  const noting: StepRunner = (step) =>
    runner({
      ...step,
      onStart: async (leader) => {
        processes.push(leader.pid);
        await step.onStart(leader);
      },
    });
  const log = join(folder, 'log');
  const { runId } = await runOnThisMachine(lake, log, REQUEST, BOOSTING_WORKERS, () => noting);
  return { lake, runId, processes };
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await generateLog({ ...LOG, outputFolder: join(folder, 'log') });
  shared = await run('one application', sharedEngine());
  separate = await run('an application for each step', sparkSubmit);
}, 20 * MINUTE);
afterAll(() => rm(folder, { recursive: true, force: true }));

function comparableRows(table: Table, { lake }: Run): Promise<readonly Record<string, Json>[]> {
  const ignored = IDS_AND_TIMES[table.name] ?? [];
  const columns = table.columns.map(({ name }) => name).filter((name) => !ignored.includes(name));
  return queryLake(lake, `SELECT ${columns.join(', ')} FROM ${table.name} ORDER BY ALL`);
}

/** An object as text, without the id of its run and the folder of its lake. */
async function comparableText(key: string, { lake, runId }: Run): Promise<string> {
  const text = await readFile(join(lake, key), 'utf8');
  return text.replaceAll(runId, '<run>').replaceAll(lake, '<lake>');
}

async function comparableJson(key: string, run: Run): Promise<unknown> {
  const withoutIgnored = (name: string, value: unknown): unknown =>
    DURATIONS_AND_SNAPSHOTS.includes(name) ? undefined : value;
  return z.json().parse(JSON.parse(await comparableText(key, run), withoutIgnored));
}

describe('a run with one Spark application, and one with a spark-submit for each step', () => {
  it('are that', () => {
    expect(new Set(shared.processes).size).toBe(1);
    expect(new Set(separate.processes).size).toBe(STEP_NAMES.length);
  });

  it.each([...TABLES, ...FEATURE_TABLES].map((table) => [table.name, table] as const))(
    'leave the same rows in %s',
    async (name, table) => {
      const rows = await comparableRows(table, shared);
      expect(rows.length > 0, `${name} has rows`).toBe(!WITHOUT_ROWS.includes(name));
      expect(rows).toEqual(await comparableRows(table, separate));
    },
  );

  it.each(STEP_NAMES)('leave the same result of %s', async (step) => {
    const resultOf = (of: Run): Promise<unknown> => comparableJson(STEP_RESULT[step].of(of.runId).key, of);
    expect(await resultOf(shared)).toEqual(await resultOf(separate));
  });

  it('decide the same, and write the same list', async () => {
    for (const kind of [TRAINING_DECISION, CHOICE])
      expect(await comparableJson(kind.of(shared.runId).key, shared)).toEqual(
        await comparableJson(kind.of(separate.runId).key, separate),
      );
    const listOf = (of: Run): Promise<string> => comparableText(CAMPAIGN.of(of.runId).key, of);
    const list = await listOf(shared);
    expect(list).toBe(await listOf(separate));
    // Its heading, and users.
    expect(list.trim().split('\n').length).toBeGreaterThan(2);
  });
});
