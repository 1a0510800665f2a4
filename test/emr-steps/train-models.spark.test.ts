/** Training and scoring on real Spark: the same figures twice, honest about too few, and scores that add up. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Json } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { FEATURE_GROUPS } from '../../domain/features/measure.ts';
import { BASELINES, CANDIDATES, METRICS, THRESHOLD_RULES, TOP_USERS } from '../../domain/models.ts';
import type { TrainingResult } from '../../domain/results.ts';
import type { RunPlan } from '../../domain/run.ts';
import { buildFeatures } from '../../emr-steps/build-features.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { scoreUsers } from '../../emr-steps/score-users.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { generateLog } from '../../generator/generate.ts';
import {
  eventFiles,
  queryLake,
  resultOf,
  SparkBench,
  temporaryFolder,
  writePlan,
} from '../support/spark-lake.ts';

const LOG = { users: 100, days: 50, seed: 5 };
/** Of a deployment: no step may reach for the database that a lake on one machine has. */
const database = 'churn_test_0a1b2c3d';
const names = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name);
const modelSchema = z.object({
  inputs: z.array(z.object({ name: z.string() })),
  calibration: z.object({ slope: z.number(), intercept: z.number() }),
  testScores: z.object({ starts: z.array(z.number()), rows: z.array(z.number()) }),
});
const modelOf = async (plan: RunPlan): Promise<z.infer<typeof modelSchema>> =>
  modelSchema.parse(
    JSON.parse(await readFile(join(fileURLToPath(plan.outputs.model), 'model.json'), 'utf8')),
  );

describe('train-models and score-users', () => {
  let folder: string;
  let first: RunPlan;
  let second: RunPlan;
  let loyal: RunPlan;
  const at = (name: string): string => join(folder, name);
  const scoresOf = (plan: RunPlan): Promise<readonly Record<string, Json>[]> =>
    queryLake(
      fileURLToPath(plan.lakeRoot),
      `SELECT * FROM scores WHERE run_id = '${plan.runId}' ORDER BY "rank"`,
      database,
    );
  let rows: readonly Record<string, Json>[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    await generateLog({ ...LOG, outputFolder: at('log') });
    await withoutCancellations(at('log'), at('loyal log'));
    const files = await eventFiles(at('log'));
    first = await writePlan(at('lake'), { runId: 'first', database, files });
    second = await writePlan(at('lake'), {
      runId: 'second',
      database,
      files,
      training: { minCancellations: 2 },
    });
    loyal = await writePlan(at('loyal lake'), {
      runId: 'loyal',
      database,
      files: await eventFiles(at('loyal log')),
    });

    await new SparkBench(folder, ingestEvents).runAll([first, loyal]);
    await new SparkBench(folder, buildFeatures).runAll([first, loyal]);
    await new SparkBench(folder, trainModels).runAll([first, second, loyal]);
    await new SparkBench(folder, scoreUsers).runAll([first, loyal, second, first]);
    rows = await scoresOf(first);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The log without the users who cancel in it. */
  async function withoutCancellations(from: string, to: string): Promise<void> {
    await mkdir(to);
    const userOf = (line: string): string | undefined => /"userId":"([^"]*)"/.exec(line)?.[1];
    const days = await Promise.all(
      (await readdir(from)).map(async (name) => ({
        name,
        lines: (await readFile(join(from, name), 'utf8')).split('\n'),
      })),
    );
    const cancelled = new Set(
      days.flatMap(({ lines }) => lines.filter((line) => line.includes('"Cancelled"')).map(userOf)),
    );
    for (const { name, lines } of days)
      await writeFile(join(to, name), lines.filter((line) => !cancelled.has(userOf(line))).join('\n'));
  }

  const figuresOf = ({ evaluations, importance, chosen }: TrainingResult): unknown => ({
    evaluations: evaluations.map(({ fitSeconds: _, ...figures }) => figures),
    importance,
    chosen,
  });

  it('judges every candidate and baseline on the rows that the features step counted', async () => {
    const features = await resultOf(buildFeatures, first);
    const result = await resultOf(trainModels, first);
    const rowsOf = (role: string): number =>
      features.cutoffs.filter((cutoff) => cutoff.role === role).reduce((sum, { rows }) => sum + rows, 0);
    expect(result).toMatchObject({
      trainRows: rowsOf('train'),
      testRows: rowsOf('test'),
      testCutoff: '2018-11-06',
      featuresSnapshot: features.snapshots.features,
    });
    expect(result.evaluations.map(({ model }) => model)).toEqual([...names(BASELINES), ...names(CANDIDATES)]);
    for (const { model, metrics, decisions } of result.evaluations) {
      expect(names(METRICS), model).toEqual(expect.arrayContaining(Object.keys(metrics)));
      expect(Object.keys(decisions).sort(), model).toEqual([...names(THRESHOLD_RULES)].sort());
      expect(metrics.auc?.value, model).toBeGreaterThanOrEqual(metrics.auc?.low ?? 1);
      for (const decision of Object.values(decisions)) {
        const { truePositives, falsePositives, trueNegatives, falseNegatives } = decision;
        expect(truePositives + falseNegatives, model).toBe(result.testCancellations);
        expect(falsePositives + trueNegatives, model).toBe(result.testRows - result.testCancellations);
      }
    }
    expect(names(CANDIDATES)).toContain(result.chosen);
    expect(result.importance.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 3);
    expect(names(FEATURES)).toEqual(expect.arrayContaining(result.importance.map(({ feature }) => feature)));
  });

  it('gives the same figures and the same scores twice', async () => {
    expect(figuresOf(await resultOf(trainModels, second))).toEqual(
      figuresOf(await resultOf(trainModels, first)),
    );
    const withoutRun = (scores: readonly Record<string, Json>[]): unknown =>
      scores.map(({ run_id: _, ...row }) => row);
    expect(withoutRun(await scoresOf(second))).toEqual(withoutRun(rows));
  });

  it('says when there were too few cancellations to trust the figures', async () => {
    const few = await resultOf(trainModels, first);
    expect(few.reliable).toBe(false);
    expect(few.reliabilityReason).toMatch(/^only \d+ users cancel in the training rows and 50 are needed/);
    expect(await resultOf(trainModels, second)).toMatchObject({ reliable: true, reliabilityReason: '' });
  });

  it('succeeds with the base rate where no user cancels', async () => {
    const result = await resultOf(trainModels, loyal);
    expect(result).toMatchObject({
      chosen: 'base_rate',
      reliable: false,
      trainCancellations: 0,
      importance: [],
    });
    expect(result.evaluations.map(({ model }) => model)).toEqual(names(BASELINES));
    const scores = await scoresOf(loyal);
    expect(scores).toHaveLength((await resultOf(scoreUsers, loyal)).users);
    expect(new Set(scores.map((row) => row.probability)).size).toBe(1);
    expect(scores.every((row) => Array.isArray(row.reasons) && row.reasons.length === 0)).toBe(true);
  });

  it('scores each living user once, though it ran twice: calibrated, ranked, in tenths, with at most three reasons', async () => {
    const result = await resultOf(scoreUsers, first);
    const { calibration } = await modelOf(first);
    const living = (await resultOf(buildFeatures, first)).cutoffs.find(({ role }) => role === 'score');
    expect(rows).toHaveLength(living?.rows ?? 0);
    expect(result).toMatchObject({ users: rows.length, cutoff: '2018-11-20' });
    expect(new Set(rows.map((row) => row.user_id)).size).toBe(rows.length);
    let before = Number.POSITIVE_INFINITY;
    rows.forEach((row, index) => {
      const score = Number(row.raw_score);
      expect(score).toBeLessThanOrEqual(before);
      before = score;
      expect(Number(row.rank)).toBe(index + 1);
      const logOdds = calibration.slope * score + calibration.intercept;
      expect(row.probability).toBeCloseTo(1 / (1 + Math.exp(-logOdds)), 12);
      expect(['free', 'paid']).toContain(row.level);
      expect(names(FEATURE_GROUPS)).toEqual(expect.arrayContaining(reasonsOf(row)));
      expect(reasonsOf(row).length).toBeLessThanOrEqual(3);
    });
    expect(rows.some((row) => reasonsOf(row).length === 3)).toBe(true);
    const tenths = Map.groupBy(rows, (row) => Number(row.decile));
    expect([...tenths.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const sizes = [...tenths.values()].map((tenth) => tenth.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    const expected = rows.reduce((sum, row) => sum + Number(row.probability), 0);
    expect(result.expectedCancellations).toBeCloseTo(expected, 6);
    expect(result.top.map(({ userId }) => userId)).toEqual(
      rows.slice(0, TOP_USERS).map((row) => row.user_id),
    );
  });

  it('measures the drift of every feature, by the rows of the two cutoffs as another engine reads them', async () => {
    const { drift } = await resultOf(scoreUsers, first);
    const { inputs } = await modelOf(first);
    expect(drift.features.map(({ feature }) => feature).sort()).toEqual([...names(inputs)].sort());
    const lake = fileURLToPath(first.lakeRoot);
    for (const feature of ['is_paid', 'days_since_last_seen', 'songs_trend', 'tenure_days', 'songs']) {
      const column = FEATURES.find(({ name }) => name.startsWith(feature))?.name ?? feature;
      const values = await queryLake(lake, `SELECT role, ${column} AS value FROM features`, database);
      const of = (role: string): readonly (number | null)[] =>
        values.filter((row) => row.role === role).map(({ value }) => (value === null ? null : Number(value)));
      const measured = drift.features.find((entry) => entry.feature === column)?.psi;
      expect(measured, column).toBeCloseTo(stabilityIndex(of('test'), of('score')), 5);
    }
  });

  it('measures the drift of the score, from the tenths that the model was tested with', async () => {
    const { testScores } = await modelOf(first);
    const { testRows } = await resultOf(trainModels, first);
    expect(testScores.rows.reduce((sum, count) => sum + count, 0)).toBe(testRows);
    const scored = testScores.rows.map((_, tenth) => {
      const [from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY] = [
        testScores.starts[tenth - 1],
        testScores.starts[tenth],
      ];
      return rows.filter((row) => Number(row.raw_score) >= from && Number(row.raw_score) < to).length;
    });
    const { drift } = await resultOf(scoreUsers, first);
    expect(drift.score).toBeGreaterThan(0);
    expect(drift.score).toBeCloseTo(indexOfCounts(testScores.rows, scored), 5);
    // The base rate gives all users the same score, at both cutoffs.
    expect((await resultOf(scoreUsers, loyal)).drift.score).toBe(0);
  });

  it('keeps about a tenth of the users from being contacted, the same ones in every run', async () => {
    const control = (scores: readonly Record<string, Json>[]): readonly Json[] =>
      scores.filter((row) => row.in_control_group === true).map((row) => row.user_id ?? null);
    expect(control(await scoresOf(second))).toEqual(control(rows));
    const share = control(rows).length / rows.length;
    expect(share).toBeGreaterThan(0.03);
    expect(share).toBeLessThan(0.2);
  });

  /** The index by its definition: known values in tenths by their middle rank among the tested, missing ones apart. */
  function stabilityIndex(tested: readonly (number | null)[], scored: readonly (number | null)[]): number {
    const known = tested.filter((value) => value !== null);
    const bins = (values: readonly (number | null)[]): readonly number[] => {
      const rows = Array.from({ length: 11 }, () => 0);
      for (const value of values) {
        const below = known.filter((other) => value !== null && other < value).length;
        const equal = known.filter((other) => other === value).length;
        const tenth = Math.min(9, Math.floor((10 * (below + equal / 2)) / Math.max(1, known.length)));
        const bin = value === null ? 10 : tenth;
        rows[bin] = (rows[bin] ?? 0) + 1;
      }
      return rows;
    };
    return indexOfCounts(bins(tested), bins(scored));
  }

  function indexOfCounts(tested: readonly number[], scored: readonly number[]): number {
    const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
    return tested.reduce((index, count, bin) => {
      const other = scored[bin] ?? 0;
      if (count + other === 0) return index;
      const [before, after] = [(count || 0.5) / total(tested), (other || 0.5) / total(scored)];
      return index + (after - before) * Math.log(after / before);
    }, 0);
  }

  function reasonsOf(row: Record<string, Json>): Json[] {
    return Array.isArray(row.reasons) ? row.reasons : [];
  }
});
