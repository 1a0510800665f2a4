/** Whole runs through the command line, with real Spark, on a small generated log. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEASE, MODEL, RUN_RECORD } from '../../domain/lake-objects.ts';
import { NAMED_QUERIES } from '../../domain/named-queries.ts';
import { runRecordSchema } from '../../domain/records.ts';
import { type GenerateSummary, generateLog } from '../../generator/generate.ts';
import { LocalClusters } from '../../local/adapters/local-clusters.ts';
import { family } from '../../local/processes/process-table.ts';
import { type RunSummary, runSummarySchema } from '../../local/run/run-summary.ts';
import { checkedSql } from '../support/athena-sql.ts';
import { type Churn, churn, churnRun, successfulRun, summaryOf, whyOf } from '../support/command-line.ts';
import { addMarkedUser, sightingsOf } from '../support/marked-user.ts';
import { MAY_BE_EMPTY } from '../support/saved-queries.ts';
import { queryLake, temporaryFolder } from '../support/spark-lake.ts';

let folder: string;
let log: string;
let generated: GenerateSummary;
let markedEvents: number;

/** Id of a user, which is nothing else; registered after the end of the log. */
const MARKER = 'marker-5f1c0e';
const LOG = { users: 160, days: 45, seed: 7 };

beforeAll(async () => {
  folder = await temporaryFolder();
  log = join(folder, 'log');
  generated = await generateLog({ ...LOG, outputFolder: log, dirty: true });
  const clean = join(folder, 'clean');
  await generateLog({ ...LOG, outputFolder: clean });
  markedEvents = await addMarkedUser(log, clean, MARKER);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(
  lake: string,
  events: string,
  ...more: readonly string[]
): Promise<readonly [number | null, RunSummary]> {
  const ended = await churnRun(lake, events, ...more);
  const summary = summaryOf(ended);
  if (summary === undefined) throw new Error(await whyOf(ended));
  return [ended.code, summary];
}

async function holder(lake: string): Promise<unknown> {
  return JSON.parse(await readFile(join(lake, LEASE.key), 'utf8')).holder;
}

async function livingClusters(lake: string): Promise<number> {
  return (await new LocalClusters(join(lake, 'local/clusters')).living()).length;
}

/** Waits until the run has started a Spark process; returns the run's processes. */
async function spark(started: Churn): Promise<readonly number[]> {
  await expect.poll(started.progress, { timeout: 120_000 }).toContain('IngestEvents started');
  await expect.poll(() => members(started).length, { timeout: 60_000 }).toBeGreaterThan(3);
  return members(started);
}

function members({ process: { pid } }: Churn): readonly number[] {
  return pid === undefined ? [] : family(pid);
}

describe('a whole run that succeeds', () => {
  const dirtyOptions = ['--max-quarantine-share', '1'];
  let lake: string;
  let first: RunSummary;

  beforeAll(async () => {
    lake = join(folder, 'succeeding lake');
    first = await successfulRun(lake, log, ...dirtyOptions);
  });

  it('counts every row of a dirty log by its outcome', () => {
    expect(first).toMatchObject({
      status: 'SUCCEEDED',
      counts: {
        read: (generated.dirt?.rows ?? 0) + markedEvents,
        quarantined: generated.dirt?.refusedRows,
        duplicates: generated.dirt?.duplicates,
        accepted: generated.events + markedEvents,
      },
      users: generated.users + 1,
      cancellations: generated.cancellations,
    });
  });

  it('shows its states, its model and its report', async () => {
    const summary = first;
    expect(summary.states.map(({ name, status }) => `${name} ${status}`)).toEqual(
      [
        'PlanRun',
        'CreateCluster',
        'IngestEvents',
        'BuildFeatures',
        'DecideTraining',
        'TrainModels',
        'ChooseModel',
        'ScoreUsers',
        'TerminateCluster',
        'ReconcileLake',
        'StoreMetrics',
        'RenderReport',
        'NotifySuccess',
      ].map((name) => `${name} SUCCEEDED`),
    );
    if (summary.status !== 'SUCCEEDED') throw new Error(summary.status);
    expect(summary.model.metrics.auc).toBeGreaterThan(0);
    const report = await readFile(summary.report, 'utf8');
    for (const id of ['models', 'retrospective', 'sample', 'facts']) expect(report).toContain(`id="${id}"`);
  });

  it('leaves no cluster, a released lease, and one notification', async () => {
    expect(await livingClusters(lake)).toBe(0);
    expect(await holder(lake)).toBeNull();
    const notifications = (await readFile(join(lake, 'local/notifications.jsonl'), 'utf8'))
      .trim()
      .split('\n');
    expect(notifications.map((line) => JSON.parse(line).subject)).toEqual(['Churn model: run succeeded']);
  });

  it('answers every saved query of the workgroup', async () => {
    const [{ user_id: userId } = {}] = await queryLake(lake, 'SELECT min(user_id) AS user_id FROM user_days');
    const named = new Map(NAMED_QUERIES.map(({ name, sql }) => [name, sql.replace('?', `'${userId}'`)]));
    const checked = checkedSql(named);
    const answers = new Map<string, Awaited<ReturnType<typeof queryLake>>>();
    for (const name of named.keys()) answers.set(name, await queryLake(lake, checked[name]?.sql ?? ''));
    for (const [name, rows] of answers) {
      const source = MAY_BE_EMPTY[name];
      const held = source === undefined || (await queryLake(lake, `SELECT 1 FROM ${source}`)).length > 0;
      if (held) expect(rows.length, name).toBeGreaterThan(0);
    }
    const sum = (name: string, column: string): number =>
      (answers.get(name) ?? []).reduce((total, row) => total + Number(row[column]), 0);
    expect(sum('churn-by-day-and-level', 'cancellations')).toBe(generated.cancellations);
    expect(sum('quarantine-by-reason', 'refused_rows')).toBe(generated.dirt?.refusedRows);
    expect(answers.get('model-history')).toHaveLength(1);
  });

  it('holds ids of users where the list of their places says, and nowhere else', async () => {
    const { tables, unknownTables, unknownFiles } = await sightingsOf(lake, MARKER);
    expect(tables).toEqual(
      expect.arrayContaining(['events', 'user_days', 'features', 'scoring_features', 'scores']),
    );
    expect({ unknownTables, unknownFiles }).toEqual({ unknownTables: [], unknownFiles: [] });
    // What proves that a user is forgotten finds this one.
    const { code, output } = await churn('forget', MARKER, '--lake', lake, '--check', '--json').ended;
    expect(code).toBe(1);
    const counted: readonly { readonly table: string }[] = JSON.parse(output).tables;
    expect(counted.map(({ table }) => table).sort()).toEqual([...tables].sort());
    const never = await churn('forget', 'never-seen-1c2d', '--lake', lake, '--check').ended;
    expect(never).toMatchObject({ code: 0, output: expect.stringContaining('in none of the places') });
  });

  it('has no number that is none, for a user either who registers after the end of the log', async () => {
    const [row] = await queryLake(
      lake,
      `SELECT count(*) AS n, count_if(isnan(probability) OR isnan(raw_score)) AS bad FROM scores`,
    );
    expect(Number(row?.n)).toBeGreaterThan(100);
    expect(Number(row?.bad)).toBe(0);
    const [marked] = await queryLake(
      lake,
      `SELECT max(tenure_days) AS tenure, min(events_per_day) AS events FROM scoring_features WHERE user_id = '${MARKER}'`,
    );
    expect(marked?.tenure).toBe(0);
    expect(Number(marked?.events)).toBeGreaterThan(0);
  });

  it('has a model that its training gives again, and a number that was changed since is named', async () => {
    const { runId } = first;
    const file = join(lake, MODEL.of(runId).key);
    const text = await readFile(file, 'utf8');
    const description = JSON.parse(text);
    const { intercept } = description.calibration;
    const calibration = { ...description.calibration, intercept: intercept * 1.00001 };
    await writeFile(file, JSON.stringify({ ...description, calibration }));
    const before = await readdir(lake, { recursive: true });
    const { code, output } = await churn('models', '--verify', runId, '--lake', lake, '--json').ended;
    await writeFile(file, text);
    const { differences } = JSON.parse(output);
    expect(differences).toEqual([
      { place: 'model.json calibration.intercept', stored: calibration.intercept, again: intercept },
    ]);
    expect(code).toBe(1);
    expect(await readdir(lake, { recursive: true })).toEqual(before);
  });

  it('is followed by a run that has nothing to do', async () => {
    const summary = await successfulRun(lake, log, ...dirtyOptions);
    expect(summary).toMatchObject({
      status: 'NOTHING_TO_DO',
      counts: { read: 0, accepted: 0, quarantined: 0, duplicates: 0 },
      users: generated.users + 1,
    });
    expect(summary.states.map(({ name }) => name)).toEqual(['PlanRun']);
    expect(await holder(lake)).toBeNull();
  });
});

describe('a whole run that fails', () => {
  it('reports the state, the reason and what to do, and is closed', async () => {
    const lake = join(folder, 'short');
    const shortLog = join(folder, 'short-log');
    await generateLog({ users: 20, days: 5, seed: 7, outputFolder: shortLog });
    const ended = await churnRun(lake, shortLog);
    expect(ended.code).toBe(1);
    const why = await whyOf(ended);
    const summary = summaryOf(ended);
    if (summary?.status !== 'FAILED') throw new Error(why);
    expect(summary.error.state).toBe('BuildFeatures');
    expect(summary.error.message).toMatch(/42 days/);
    expect(summary.error.whatToDo).not.toBe('');
    // What a test shows of a run that should have succeeded.
    for (const shown of ['exit code 1', 'BuildFeatures failed', '"whatToDo"', 'the end of BuildFeatures.log'])
      expect(why).toContain(shown);
    expect(why.slice(why.indexOf('the end of BuildFeatures.log'))).toMatch(/StepError.*42 days/s);
    expect(summary.logs !== null && existsSync(join(summary.logs, 'BuildFeatures.log'))).toBe(true);
    const record = await readFile(join(lake, RUN_RECORD.of(summary.runId).key), 'utf8');
    expect(runRecordSchema.parse(JSON.parse(record)).status).toBe('FAILED');
    expect(await holder(lake)).toBeNull();
    expect(await livingClusters(lake)).toBe(0);
    const notifications = (await readFile(join(lake, 'local/notifications.jsonl'), 'utf8'))
      .trim()
      .split('\n');
    expect(notifications).toHaveLength(1);
  });
});

describe('a whole run that is interrupted', () => {
  let lake: string;
  beforeAll(() => {
    lake = join(folder, 'interrupted');
  });

  it('refuses other runs while it is in progress, and stops with all its processes at Ctrl-C', async () => {
    const living = churn('run', '--events', log, '--lake', lake, '--json');
    const processes = await spark(living);
    const [code, refused] = await run(lake, log);
    expect(code).toBe(1);
    if (refused.status !== 'REFUSED') throw new Error(refused.status);
    const runId = /run (local-\S+)/.exec(living.progress())?.[1] ?? '';
    expect(refused.error.message).toContain(runId);

    living.process.kill('SIGINT');
    const { code: interrupted, output } = await living.ended;
    expect(interrupted).toBe(130);
    const summary = runSummarySchema.parse(JSON.parse(output));
    expect(summary).toMatchObject({ status: 'ABORTED', runId, error: { state: 'IngestEvents' } });
    expect(processes.filter(isRunning)).toEqual([]);
    expect(await holder(lake)).toBeNull();
    expect(await livingClusters(lake)).toBe(0);
  });

  it('leaves no process behind when it is killed, and is closed by the next start', async () => {
    const killed = churn('run', '--events', log, '--lake', lake, '--json');
    const processes = await spark(killed);
    const runId = /run (local-\S+)/.exec(killed.progress())?.[1] ?? '';
    killed.process.kill('SIGKILL');
    await killed.ended;
    await expect.poll(() => processes.filter(isRunning), { timeout: 20_000 }).toEqual([]);
    expect(await holder(lake)).toMatchObject({ runId });

    const nothing = join(folder, 'nothing');
    await mkdir(nothing);
    const next = churn('run', '--events', nothing, '--lake', lake);
    const { code, output } = await next.ended;
    expect(next.progress()).toContain(`run ${runId} had ended without being closed`);
    expect(code).toBe(1);
    expect(output).toContain('There are no event files');
    expect(await holder(lake)).toBeNull();
    const record = await readFile(join(lake, RUN_RECORD.of(runId).key), 'utf8');
    expect(runRecordSchema.parse(JSON.parse(record)).status).toBe('FAILED');
  });
});

function isRunning(pid: number): boolean {
  return family(pid).includes(pid);
}
