/** Training and scoring on real Spark: the same figures twice, honest about too few, and scores that add up. */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Json } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Choice, choiceSchema } from '../../domain/choice.ts';
import { chosenEvaluation } from '../../domain/chosen-evaluation.ts';
import { csvCell } from '../../domain/csv.ts';
import { EXPLORED_QUANTILES } from '../../domain/exploration.ts';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { FEATURE_GROUPS } from '../../domain/features/measure.ts';
import { reasonsSchema } from '../../domain/features/reason-words.ts';
import { runFolder } from '../../domain/lake-objects.ts';
import {
  BASELINES,
  CANDIDATES,
  LEAKAGE_INPUT_AUC,
  METRICS,
  THRESHOLD_RULES,
  TOP_USERS,
} from '../../domain/models.ts';
import { DEFAULT_TERMS, profitOfContact } from '../../domain/money.ts';
import { metricNameSchema, type TrainingResult } from '../../domain/results.ts';
import type { RunPlan, StepName } from '../../domain/run.ts';
import { buildFeatures } from '../../emr-steps/build-features.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { scoreUsers } from '../../emr-steps/score-users.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { generateLog } from '../../generator/generate.ts';
import { chooseModel } from '../../lambda/choose-model/decide.ts';
import {
  eventFiles,
  type PlanOptions,
  queryLake,
  resultOf,
  temporaryFolder,
  writePlan,
} from '../support/spark-lake.ts';
import { StepServer } from '../support/step-server.ts';

const LOG = { users: 100, days: 50, seed: 5 };
/** Five trainings; the limit is for a busy machine. */
const SET_UP_MILLISECONDS = 1_200_000;
/** So much that users are worth a contact who are not likely to cancel: there are few others in so small a log. */
const TERMS = { ...DEFAULT_TERMS, customerValue: 5_000 };
/** Of a deployment: no step may reach for the database that a lake on one machine has. */
const database = 'churn_test_0a1b2c3d';
const names = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name);
const modelSchema = z.object({
  inputs: z.array(z.object({ name: z.string() })),
  calibration: z.object({ slope: z.number(), intercept: z.number() }),
  testScores: z.object({ starts: z.array(z.number()), rows: z.array(z.number()) }),
});
/** As figures of a result are stored. */
const rounded = (values: unknown): readonly number[] =>
  z
    .array(z.number())
    .parse(values)
    .map((value) => Number(value.toFixed(9)));
const modelOf = async (plan: RunPlan): Promise<z.infer<typeof modelSchema>> =>
  modelSchema.parse(
    JSON.parse(await readFile(join(fileURLToPath(plan.outputs.model), 'model.json'), 'utf8')),
  );

const planFolder = (plan: RunPlan): string => join(fileURLToPath(plan.lakeRoot), runFolder(plan.runId));
const resultFile = (plan: RunPlan, step: StepName): string => fileURLToPath(plan.outputs.results[step]);

describe('train-models and score-users', () => {
  let folder: string;
  let server: StepServer;
  let first: RunPlan;
  let second: RunPlan;
  let loyal: RunPlan;
  let untrained: RunPlan;
  let peeked: RunPlan;
  let shuffled: RunPlan;
  let nobody: RunPlan;
  let withheld: RunPlan;
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
    // Nine days of history give three training cutoffs, so that one earlier cutoff can be tested.
    first = await writePlan(at('lake'), {
      runId: 'first',
      database,
      files,
      training: { minHistoryDays: 9 },
      scoring: { terms: TERMS },
    });
    loyal = await writePlan(at('loyal lake'), {
      runId: 'loyal',
      database,
      files: await eventFiles(at('loyal log')),
    });

    server = await StepServer.start(at('server'), [ingestEvents, buildFeatures, trainModels, scoreUsers]);
    for (const step of [ingestEvents, buildFeatures]) await server.runAll(step, [first, loyal]);
    const inCharge = { runId: 'first', modelUri: first.outputs.model, testCutoff: '2018-11-06' };
    const continued = async (runId: string, more: Partial<PlanOptions> = {}): Promise<RunPlan> => {
      const scoring = { terms: TERMS };
      const plan = await writePlan(at('lake'), {
        runId,
        database,
        files,
        champion: inCharge,
        scoring,
        ...more,
      });
      await mkdir(dirname(resultFile(plan, 'build-features')), { recursive: true });
      await copyFile(resultFile(first, 'build-features'), resultFile(plan, 'build-features'));
      return plan;
    };
    second = await continued('second', { training: { minCancellations: 2 } });
    untrained = await continued('untrained');
    peeked = await continued('peeked', { training: { minCancellations: 2, folds: 2 } });
    // A column of the lake that knows the label: what comes last in this lake.
    await writeFile(
      join(planFolder(peeked), 'before.sql'),
      `UPDATE lake.${database}.features SET errors_per_day = 50 WHERE label = 1`,
    );
    // Labels that know nothing of the users; a feature that is missing, and one that is the same for all.
    shuffled = await continued('shuffled', { training: { minCancellations: 2, folds: 2 } });
    await writeFile(
      join(planFolder(shuffled), 'before.sql'),
      `UPDATE lake.${database}.features SET label = IF(pmod(xxhash64(user_id, cutoff), 100) < 15, 1, 0),
       tenure_days = NULL, songs_per_day = 3.5`,
    );
    nobody = await continued('nobody');
    withheld = await continued('withheld');
    // The table as a former version left it.
    await writeFile(
      join(planFolder(withheld), 'before.sql'),
      `ALTER TABLE lake.${database}.scores DROP COLUMN reason_details`,
    );
    await server.runAll(trainModels, [first, second, loyal, peeked, shuffled]);
    for (const plan of [first, second, loyal]) await choose(plan, true);
    await choose(untrained, false);
    await choose(nobody, null);
    await choose(withheld, false, 'order only');
    await server.runAll(scoreUsers, [first, loyal, second, first, untrained, nobody, withheld]);
    rows = await scoresOf(first);
  }, SET_UP_MILLISECONDS);

  /** Writes the choice of a run: its own model, the first one in a run that has not trained, or nobody. */
  async function choose(plan: RunPlan, own: boolean | null, list: Choice['list'] = 'yes'): Promise<void> {
    const trained = own === true ? plan : first;
    const result = await resultOf(trainModels, trained);
    const { modelUri } = result;
    const choice = choiceSchema.parse({
      runId: plan.runId,
      rule: 'first',
      scorer:
        own === null
          ? null
          : {
              runId: trained.runId,
              modelUri,
              testCutoff: result.testCutoff,
              model: result.chosen,
              testScores: null,
            },
      challengerScores: own === true,
      list: own === null ? 'no' : list,
      baseRate: 0.07,
      comparedWith: own === null ? null : modelUri,
      makesCurrent: true,
      gates: [],
      difference: null,
      reasons: ['chosen by the test'],
    });
    await writeFile(join(planFolder(plan), 'choice.json'), JSON.stringify(choice));
  }

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

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

  const figuresOf = ({ evaluations, importance, chosen, past }: TrainingResult): unknown => ({
    past,
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
    const models = result.evaluations.map(({ model }) => model);
    const left: readonly string[] = result.notFitted.map(({ model }) => model);
    expect(models).toEqual([
      ...names(BASELINES),
      ...names(CANDIDATES).filter((name) => !left.includes(name)),
    ]);
    expect(models).toContain('logistic_regression');
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

  it('says who leaves, as SQL over the days of the users counts it', async () => {
    const { exploration } = await resultOf(trainModels, first);
    const { observationEnd } = await resultOf(buildFeatures, first);
    const users = `(
      SELECT user_id, max(last_cancelled_at) IS NOT NULL AS churned, arg_max(level, last_event_at) AS level,
        sum(thumbs_up) AS thumbs_up, sum(session_seconds) / 3600 AS hours, sum(events) AS events,
        sum(CASE WHEN dayofweek(day) = 0 THEN events ELSE 0 END) AS on_sundays, sum(sessions) AS sessions,
        CASE WHEN max(last_cancelled_at) IS NULL THEN DATE '${observationEnd}' - 1 ELSE max(day) END AS last_day,
        (last_day - min(day) + 1) / 7 AS weeks
      FROM user_days WHERE day < DATE '${observationEnd}' GROUP BY user_id
    )`;
    const ask = (sql: string) => queryLake(fileURLToPath(first.lakeRoot), sql, database);
    const levels = await ask(
      `SELECT level AS value, count(*) FILTER (churned)::INT AS churned, count(*) FILTER (NOT churned)::INT AS stayed
       FROM ${users} GROUP BY level ORDER BY level`,
    );
    const byLevel = exploration?.groups.filter(({ variable }) => variable === 'level') ?? [];
    expect(
      byLevel.map(({ variable: _, ...group }) => group).sort((a, b) => (a.value < b.value ? -1 : 1)),
    ).toEqual(levels);
    const [figures] = await ask(
      `SELECT sum(thumbs_up) FILTER (churned) / sum(hours) FILTER (churned) AS thumbs_up,
         sum(on_sundays) FILTER (NOT churned) / sum(events) FILTER (NOT churned) AS sundays,
         quantile_disc(sessions / weeks, ${JSON.stringify(EXPLORED_QUANTILES)}) FILTER (churned) AS churned_sessions,
         quantile_disc(sessions / weeks, ${JSON.stringify(EXPLORED_QUANTILES)}) FILTER (NOT churned) AS stayed_sessions,
         count(*)::INT AS users
       FROM ${users}`,
    );
    expect((exploration?.churned ?? 0) + (exploration?.stayed ?? 0)).toBe(figures?.users);
    expect(exploration?.pages.find(({ name }) => name === 'thumbs_up')?.churned).toBeCloseTo(
      Number(figures?.thumbs_up),
      8,
    );
    expect(exploration?.weekdays.find(({ name }) => name === 'Sunday')?.stayed).toBeCloseTo(
      Number(figures?.sundays),
      8,
    );
    const perWeek = exploration?.measures.find(({ name }) => name === 'sessions_per_week');
    expect(perWeek?.churned).toEqual(rounded(figures?.churned_sessions));
    expect(perWeek?.stayed).toEqual(rounded(figures?.stayed_sessions));
    const everybody = exploration?.survival.find(({ grouping }) => grouping === 'all');
    expect(everybody?.users).toBe(figures?.users);
    for (const { grouping, users: members } of exploration?.survival ?? [])
      expect(members, grouping).toBeGreaterThan(0);
    const { exploration: loyalOnes } = await resultOf(trainModels, loyal);
    expect(loyalOnes).toMatchObject({ churned: 0, survival: expect.any(Array) });
    expect(loyalOnes?.pages.every(({ churned }) => churned === null)).toBe(true);
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
      for (const reason of reasonsOf(row))
        expect(reason).toMatch(/^([\d.,]+ .+|[A-Z].+: \w+), (typically |a little (more|less) than typical$)/);
      expect(reasonsOf(row).length).toBeLessThanOrEqual(3);
    });
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
    for (const feature of [
      'is_paid',
      'days_since_last_seen',
      'songs_trend',
      'longest_absence_days',
      'songs',
    ]) {
      const column = FEATURES.find(({ name }) => name.startsWith(feature))?.name ?? feature;
      const of = async (from: string): Promise<readonly (number | null)[]> =>
        (await queryLake(lake, `SELECT ${column} AS value FROM ${from}`, database)).map(({ value }) =>
          value === null ? null : Number(value),
        );
      const measured = drift.features.find((entry) => entry.feature === column)?.psi;
      expect(measured, column).toBeCloseTo(
        stabilityIndex(await of("features WHERE cutoff = '2018-11-06'"), await of('scoring_features')),
        5,
      );
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

  it('scores the champion on the same test rows: a champion that is the same model differs by nothing', async () => {
    const [result, before] = [await resultOf(trainModels, second), await resultOf(trainModels, first)];
    const figures = chosenEvaluation(before);
    expect(result.champion).toMatchObject({
      runId: 'first',
      notUsable: null,
      comparable: true,
      difference: { value: 0, low: 0, high: 0 },
      testScores: (await modelOf(first)).testScores,
    });
    // The bins of the histogram differ where training and test scores do.
    for (const [name, estimate] of Object.entries(result.champion?.evaluation?.metrics ?? {}))
      expect(estimate.value, name).toBeCloseTo(
        figures?.metrics[metricNameSchema.parse(name)]?.value ?? -1,
        6,
      );
  });

  it('scores with an earlier model in a run that has not trained: the same scores, and drift by what that one stored', async () => {
    expect((await scoresOf(untrained)).map(({ run_id: _, ...row }) => row)).toEqual(
      rows.map(({ run_id: _, ...row }) => row),
    );
    const { drift } = await resultOf(scoreUsers, untrained);
    expect(drift).toEqual((await resultOf(scoreUsers, first)).drift);
    const { testRows } = await resultOf(trainModels, first);
    expect(drift.comparedWith).toEqual({ testCutoff: '2018-11-06', users: testRows });
  });

  it('tests an earlier cutoff by what was known then', async () => {
    const { cutoffs } = await resultOf(buildFeatures, first);
    const at = (...days: readonly string[]) => {
      const found = cutoffs.filter(({ cutoff }) => days.includes(cutoff));
      const sum = (of: 'rows' | 'cancellations') =>
        found.reduce((total, entry) => total + (entry[of] ?? 0), 0);
      return [sum('rows'), sum('cancellations')] as const;
    };
    // The labels of 22 October were not known before 5 November.
    const [trainRows, trainCancellations] = at('2018-10-12', '2018-10-17');
    const [testRows, testCancellations] = at('2018-11-01');
    const { past, chosen } = await resultOf(trainModels, first);
    expect(past).toHaveLength(1);
    expect(past[0]).toMatchObject({
      ...{
        cutoff: '2018-11-01',
        trainCutoffs: 2,
        trainRows,
        trainCancellations,
        testRows,
        testCancellations,
      },
    });
    expect(names(CANDIDATES)).toContain(chosen);
    expect(past[0]?.metrics.auc?.low).toBeLessThan(past[0]?.metrics.auc?.high ?? 0);
    expect(past[0]?.recency.auc?.low).toBeLessThan(past[0]?.recency.auc?.high ?? 0);
    expect(past[0]?.predicted).toBeGreaterThan(0);
  });

  it('finds nothing where labels are shuffled: an AUC within chance of a half, and nobody in charge', async () => {
    const result = await resultOf(trainModels, shuffled);
    const positives = result.testCancellations;
    const negatives = result.testRows - positives;
    expect(Math.min(positives, negatives)).toBeGreaterThan(5);
    // A constant and a missing feature rank nobody, and harm nothing: a result has no number that is none.
    expect(result.singleInputs.map(({ feature }) => feature)).not.toContain('songs_per_day');
    expect(result.importance.find(({ feature }) => feature === 'tenure_days')?.share ?? 0).toBe(0);
    const deviation = Math.sqrt((positives + negatives + 1) / (12 * positives * negatives));
    for (const { model, kind, metrics } of result.evaluations)
      if (kind === 'candidate')
        expect(Math.abs((metrics.auc?.value ?? 1) - 0.5), model).toBeLessThan(3.3 * deviation);
  });

  it('names an input that knows the label, planted in the table, and holds its model back', async () => {
    const [strongest] = (await resultOf(trainModels, peeked)).singleInputs;
    expect(strongest).toMatchObject({ feature: 'errors_per_day' });
    expect(strongest?.low).toBeGreaterThan(LEAKAGE_INPUT_AUC);
    const choice = chooseModel({
      plan: { ...peeked, champion: null },
      training: await resultOf(trainModels, peeked),
      ingest: await resultOf(ingestEvents, first),
      observationEnd: '2018-11-20',
    });
    expect(choice).toMatchObject({ rule: 'nobody', scorer: null, list: 'no' });
    expect(choice.gates.find(({ name }) => name === 'leaking_input')).toMatchObject({
      passed: false,
      finding: expect.stringMatching(/^errors_per_day ranks with an AUC of/),
    });
    for (const { low } of (await resultOf(trainModels, first)).singleInputs)
      expect(low).toBeLessThan(LEAKAGE_INPUT_AUC);
  });

  it('gives all users the base rate, without ranks, deciles and a list, when nobody is in charge', async () => {
    const scores = await scoresOf(nobody);
    expect(scores).toHaveLength(rows.length);
    for (const { probability, rank, decile, reasons } of scores) {
      expect(probability).toBeCloseTo(0.07, 12);
      expect([rank, decile, reasons]).toEqual([null, null, []]);
    }
    const result = await resultOf(scoreUsers, nobody);
    const drift = { features: [], score: 0, comparedWith: null };
    expect(result).toMatchObject({ users: rows.length, top: [], drift });
    expect(result.expectedCancellations).toBeCloseTo(0.07 * rows.length, 6);
  });

  it('withholds probabilities that cannot be believed, and keeps the order', async () => {
    const scores = await scoresOf(withheld);
    expect(scores.map(({ user_id: user }) => user)).toEqual(rows.map(({ user_id: user }) => user));
    expect(new Set(scores.map(({ probability }) => probability))).toEqual(new Set([null]));
    const result = await resultOf(scoreUsers, withheld);
    expect(result.top[0]).toMatchObject({ probability: null, userId: rows[0]?.user_id });
    expect(result.expectedCancellations).toBeCloseTo(0.07 * rows.length, 6);
  });

  it('adds the columns that the table of a former version lacks, and leaves the rows of earlier runs', async () => {
    expect(rows.every((row) => row.reason_details === null)).toBe(true);
    const groups: readonly string[] = names(FEATURE_GROUPS);
    for (const row of await scoresOf(withheld)) {
      const stated = reasonsSchema.parse(JSON.parse(String(row.reason_details)));
      expect(stated.map(({ text }) => text)).toEqual(reasonsOf(row));
      expect(groups).toEqual(expect.arrayContaining(stated.map(({ group }) => group)));
    }
  });

  it('writes the list as a file: outside the control group, whose contact is worth it, the most probable first', async () => {
    const { campaign } = await resultOf(scoreUsers, first);
    const text = await readFile(fileURLToPath(campaign?.uri ?? ''), 'utf8');
    const [head, ...lines] = text.trimEnd().split('\r\n');
    expect(head).toBe('user_id,probability,value,reasons,run_id');
    const listed = rows.filter(
      (row) =>
        row.in_control_group === false && profitOfContact(Number(row.probability), first.scoring.terms) >= 0,
    );
    expect(listed.length).toBeGreaterThan(0);
    expect(campaign?.users).toBe(listed.length);
    const worth = rows.filter((row) => row.worth_contacting === true && row.in_control_group === false);
    expect(worth).toEqual(listed);
    expect(lines).toEqual(
      listed.map((row) => {
        const probability = Number(row.probability);
        const value = profitOfContact(probability, first.scoring.terms);
        const reasons = reasonsOf(row).join('; ') || 'nothing stands out';
        return [row.user_id, probability.toFixed(6), value.toFixed(2), reasons, 'first']
          .map((cell) => csvCell(String(cell)))
          .join(',');
      }),
    );
  });

  it('writes no list where nobody is in charge or probabilities are withheld', async () => {
    for (const plan of [nobody, withheld]) {
      expect((await resultOf(scoreUsers, plan)).campaign).toBeNull();
      expect(await readdir(planFolder(plan))).not.toContain('campaign.csv');
      expect((await scoresOf(plan)).every((row) => row.worth_contacting === null)).toBe(true);
    }
  });

  it('says what is typical of each input, by level', async () => {
    const { typical = [] } = await resultOf(scoreUsers, first);
    const { inputs } = await modelOf(first);
    expect(typical.map(({ feature }) => feature)).toEqual(expect.arrayContaining([...names(inputs)]));
    const [sql] = await queryLake(
      fileURLToPath(first.lakeRoot),
      `SELECT quantile_disc(days_since_last_seen, 0.5) AS typical FROM scoring_features WHERE is_paid = 1`,
      database,
    );
    expect(typical.find(({ feature }) => feature === 'days_since_last_seen')?.paid).toBe(sql?.typical);
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
