/** Ingest is killed while it writes and after each of its commits; in the end the lake is as if nothing had happened. */
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  EVENTS,
  INGEST_FILES,
  LOCAL_DATABASE,
  PAGE_DAYS,
  QUARANTINED_EVENTS,
  USER_DAYS,
  WAREHOUSE,
} from '../../domain/lake.ts';
import { LEDGER } from '../../domain/lake-objects.ts';
import type { RunPlan } from '../../domain/run.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { generateLog } from '../../generator/generate.ts';
import {
  eventFiles,
  queryLake,
  resultOf,
  SparkBench,
  temporaryFolder,
  writePlan,
} from '../support/spark-lake.ts';
import { StepServer } from '../support/step-server.ts';

const POLL_MILLISECONDS = 3;
const MOST_LIVES = 50;
const MINUTE = 60_000;

/** What a commit leaves behind: an Iceberg metadata file, or the ledger. */
const COMMIT = /metadata\/v\d+\.metadata\.json$|ingest_files\/[0-9a-f]+\.json$/;
/** What a task writes before anything is committed. */
const DATA_FILE = new RegExp(`/${EVENTS.name}/data/.*\\.parquet$`);

const rowsOf = (table: {
  readonly name: string;
  readonly columns: readonly { readonly name: string }[];
}): string =>
  `SELECT ${table.columns
    .map(({ name }) => name)
    .filter((name) => name !== 'artist_sketch')
    .join(', ')} FROM ${table.name} ORDER BY ALL`;

describe('ingest-events, killed again and again', () => {
  let folder: string;
  let bench: SparkBench;
  let calm: RunPlan;
  let killed: RunPlan;
  let killedEarly: RunPlan;
  let dies: RunPlan;
  let diesEarly: RunPlan;
  const lake = (name: string): string => join(folder, name);
  const deaths: string[] = [];

  /** Files below the lake's tables that match. */
  async function filesLike(pattern: RegExp): Promise<readonly string[]> {
    const folders = [join(lake('killed'), WAREHOUSE, LOCAL_DATABASE), join(lake('killed'), LEDGER.folder)];
    const lists = await Promise.all(
      folders.map((path) => readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])),
    );
    return lists
      .flat()
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => pattern.test(path));
  }

  /** Runs the step and kills it once it has made so many files that match; the exit code if it ended before. */
  async function runUntil(plan: RunPlan, pattern: RegExp, count: number): Promise<number | undefined> {
    const before = new Set(await filesLike(pattern));
    const death = new AbortController();
    let isOver = false;
    const watch = (async () => {
      while (!isOver) {
        const made = (await filesLike(pattern)).filter((path) => !before.has(path));
        if (made.length >= count) {
          deaths.push(made.at(-1)?.replace(/^.*\/(\w+\/(metadata|data)|ingest_files)\//, '$1/') ?? '');
          death.abort();
          return;
        }
        await wait(POLL_MILLISECONDS);
      }
    })();
    const code = await bench.submit(plan, death.signal);
    isOver = true;
    await watch;
    return code;
  }

  beforeAll(async () => {
    folder = await temporaryFolder();
    const log = join(folder, 'log');
    await generateLog({ users: 30, days: 4, seed: 11, outputFolder: log, dirty: true });
    const files = await eventFiles(log);
    // The lake already holds a day, so that the batch under fire has rows of another to merge with.
    const early = join(folder, 'early');
    await mkdir(early);
    await copyFile(join(log, '2018-10-02.json'), join(early, 'early.json'));
    bench = new SparkBench(folder, ingestEvents);
    const earlyPlan = async (name: string): Promise<RunPlan> =>
      writePlan(lake(name), { runId: 'early', files: await eventFiles(early) });
    const calmEarly = await earlyPlan('calm');
    killedEarly = await earlyPlan('killed');
    diesEarly = await earlyPlan('dies');
    calm = await writePlan(lake('calm'), { runId: 'run', files });
    killed = await writePlan(lake('killed'), { runId: 'run', files });
    dies = await writePlan(lake('dies'), { runId: 'run', files });
    await bench.runAll([calmEarly, calm]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The lake is as the calm one, and so are the counts of the run. */
  async function expectCalm(name: string, plan: RunPlan): Promise<void> {
    for (const table of [EVENTS, QUARANTINED_EVENTS, USER_DAYS, PAGE_DAYS, INGEST_FILES]) {
      const rows = await queryLake(lake(name), rowsOf(table));
      expect(rows.length).toBeGreaterThan(0);
      expect(rows).toEqual(await queryLake(lake('calm'), rowsOf(table)));
    }
    const { snapshots: _, daysRecomputed: __, upkeep: ___, ...counts } = await resultOf(ingestEvents, plan);
    expect(await resultOf(ingestEvents, calm)).toMatchObject(counts);
  }

  it('ends with the same rows and the same counts', { timeout: 30 * MINUTE }, async () => {
    // The very first run of a lake, before its readers see anything: table made, staging opened, staged.
    expect(await runUntil(killedEarly, COMMIT, 3)).toBeUndefined();
    expect(await bench.submit(killedEarly), await bench.log()).toBe(0);
    deaths.length = 0;
    expect(await runUntil(killed, DATA_FILE, 1)).toBeUndefined();
    for (const commits of [1, 4, 7]) expect(await runUntil(killed, COMMIT, commits)).toBeUndefined();
    expect(deaths).toHaveLength(4);
    expect(await bench.submit(killed), await bench.log()).toBe(0);
    await expectCalm('killed', killed);
  });

  it('ends so after a death behind every commit', { timeout: 30 * MINUTE }, async () => {
    const server = await StepServer.start(lake('server'), [ingestEvents]);
    try {
      expect(await server.run(ingestEvents, diesEarly)).toMatchObject({ outcome: 'done' });
      let [lives, outcome] = [0, 'dead'];
      while (outcome === 'dead') {
        lives += 1;
        const reply = await server.run(ingestEvents, dies, lives);
        expect(reply.error).toBeNull();
        outcome = reply.outcome;
        expect(lives).toBeLessThan(MOST_LIVES);
      }
      // Staging opened, staged, merged, quarantined, published, rolled up, entered in the ledger.
      expect(lives).toBeGreaterThan(7);
    } finally {
      await server.stop();
    }
    await expectCalm('dies', dies);
  });
});
