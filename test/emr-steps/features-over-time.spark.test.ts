/**
 * Whatever is delivered, corrected, taken out and forgotten, and wherever a run is killed: in the end the features are those
 * that are computed at once from the events that the lake holds. More stories: CHURN_STORIES=20 CHURN_SEED=7
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { forget } from '../../domain/forgotten-users.ts';
import { FORGOTTEN_USERS } from '../../domain/lake-objects.ts';
import type { FeaturesResult } from '../../domain/results.ts';
import type { RunPlan, RunSettings } from '../../domain/run.ts';
import { buildFeatures } from '../../emr-steps/build-features.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { seeded } from '../support/seeded.ts';
import { queryLake, resultOf, temporaryFolder, writePlan } from '../support/spark-lake.ts';
import { type ServedStep, StepServer } from '../support/step-server.ts';
import { LakeStory } from './lake-story.ts';

const STORIES = Number(process.env.CHURN_STORIES ?? 1);
const SEED = Number(process.env.CHURN_SEED ?? 20_181_005);
const MINUTE = 60_000;
const SETTINGS = {
  horizonDays: 2,
  minHistoryDays: 1,
  cutoffStepDays: 1,
  cutoffAnchor: '2018-10-05',
  maxCutoffs: 4,
  minDailyShare: 0,
} satisfies Partial<RunSettings>;

/** Deletes a user as docs/operations.md says. */
const forgetting: ServedStep = {
  scriptName: 'forget-user.py',
  script: `${ingestEvents.script}

def run(spark, plan):
    for table in ("events", "repeated_events"):
        spark.sql(f"DELETE FROM {table_name(plan, table)} WHERE user_id = 'u0'")
    return {}
`,
};

/** Writes the files of tables again, each row as it was: what upkeep does where it pays, and Athena's OPTIMIZE. */
const compacting: ServedStep = {
  scriptName: 'compact.py',
  script: `${buildFeatures.script}

def run(spark, plan):
    for table in (USER_DAYS, FEATURES):
        name = table_name(plan, table)
        spark.sql(f"CALL lake.system.rewrite_data_files(table => '{name}', options => map('rewrite-all', 'true'))")
        assert iceberg_table(spark, name).currentSnapshot().operation() == REPLACE
    return {}
`,
};

let folder: string;
let server: StepServer;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await StepServer.start(folder, [ingestEvents, buildFeatures, forgetting, compacting]);
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const rowsOf = (lake: string, table: string): Promise<readonly Record<string, Json>[]> =>
  queryLake(lake, `SELECT * FROM ${table} ORDER BY cutoff, user_id`);

async function forgetUser(lake: string): Promise<void> {
  await mkdir(lake, { recursive: true });
  await writeFile(join(lake, FORGOTTEN_USERS.key), JSON.stringify(forget(undefined, ['u0'])));
}

async function serve(step: ServedStep, lake: string, runId: string): Promise<void> {
  const reply = await server.run(step, await writePlan(lake, { runId, files: [] }));
  expect(reply.outcome, `${reply.error}`).toBe('done');
}

/** Builds the features of a lake as it is now. */
async function build(lake: string, runId: string): Promise<FeaturesResult> {
  const plan = await writePlan(lake, { runId, files: [], training: SETTINGS });
  const reply = await server.run(buildFeatures, plan);
  if (reply.outcome !== 'done') throw new Error(`${reply.error}`);
  return resultOf(buildFeatures, plan);
}

it.each(Array.from({ length: STORIES }, (_, story) => SEED + story))(
  'a story ends with the features that are computed at once (seed %i)',
  { timeout: 10 * MINUTE },
  async (seed) => {
    const random = seeded(seed);
    let built = 0;
    const afterIngest = async (plan: RunPlan): Promise<void> => {
      const reply = await server.run(buildFeatures, plan, random(3) === 0 ? 1 + random(2) : undefined);
      // A log may be too short by then, or a cutoff without users.
      built += reply.outcome === 'done' ? 1 : 0;
    };
    const story = new LakeStory(join(folder, `story ${seed}`), server, random, {
      days: 9,
      users: 8,
      lines: 40,
      cancellations: 30,
      settings: SETTINGS,
      afterIngest,
    });
    await story.happen(4);
    const lake = story.lakeFolder();
    await forgetUser(lake);
    await serve(forgetting, lake, 'forget');
    await story.happen(2);
    const result = await build(lake, 'last');
    expect(built, story.steps.join('\n')).toBeGreaterThan(2);

    const clean = story.cleanLakeFolder();
    await forgetUser(clean);
    await story.cleanRows();
    const atOnce = await build(clean, 'features');
    const without = ({ version: _, ...cutoff }: FeaturesResult['cutoffs'][number]) => cutoff;
    expect(result.cutoffs.map(without), story.steps.join('\n')).toEqual(atOnce.cutoffs.map(without));
    for (const table of ['features', 'scoring_features']) {
      const [rows, expected] = [await rowsOf(lake, table), await rowsOf(clean, table)];
      const keysOf = (all: typeof rows) =>
        all.map(({ user_id, cutoff, label }) => ({ user_id, cutoff, label }));
      expect(keysOf(rows)).toEqual(keysOf(expected));
      expect(rows.some(({ user_id }) => user_id === 'u0')).toBe(false);
      for (const [index, row] of rows.entries()) {
        for (const { name } of FEATURES) {
          const [value, other] = [row[name], expected[index]?.[name]];
          if (typeof value === 'number' && typeof other === 'number')
            expect(Math.abs(value - other), name).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(other)));
          else expect(value, name).toBe(other);
        }
      }
    }
    // Nothing has changed since: nothing is computed again, and the versions say so.
    const again = await build(lake, 'again');
    expect(again).toMatchObject({
      cutoffs: result.cutoffs,
      snapshots: { features: result.snapshots.features },
    });
    // Nor after compaction: a version would be the new snapshot of user_days.
    await serve(compacting, lake, 'compact');
    const compacted = await build(lake, 'compacted');
    expect(compacted.cutoffs).toEqual(result.cutoffs);
    expect(compacted.snapshots.user_days).not.toBe(result.snapshots.user_days);
  },
);
