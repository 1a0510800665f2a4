/** The figures of train-models against scikit-learn on the rows themselves: no Spark needed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { METRICS } from '../../domain/models.ts';
import { modelEvaluationSchema } from '../../domain/results.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

const REFERENCE = new URL('./evaluation_reference.py', import.meta.url).pathname;
/** The script imports Spark, XGBoost and scikit-learn. */
const IMPORTS_MILLISECONDS = 120_000;

const pair = z.tuple([z.number(), z.number()]);
const scoreBinsSchema = z.strictObject({ starts: z.array(z.number()), rows: z.array(z.number()) });
const comparisonSchema = z.strictObject({
  figures: z.record(z.string(), pair),
  intervals: z.record(z.string(), z.tuple([pair, pair])),
  decision: z.record(z.string(), pair),
  scoreBins: z.tuple([scoreBinsSchema, scoreBinsSchema]),
  again: z.boolean(),
});
const outputSchema = z.strictObject({
  distinct: comparisonSchema,
  tied: comparisonSchema,
  choices: z.record(z.string(), z.number()),
  oneSided: z.strictObject({
    evaluation: modelEvaluationSchema,
    scoreBins: scoreBinsSchema,
    separable: modelEvaluationSchema.shape.metrics,
    worseThanChance: z.strictObject({ slope: z.number(), intercept: z.number() }),
  }),
});

describe('the figures of train-models', () => {
  let folder: string;
  let output: z.infer<typeof outputSchema>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'churn-figures-'));
    const script = join(folder, trainModels.scriptName);
    await writeFile(script, trainModels.script);
    // The many small fits take a quarter of the time when BLAS's threads do not wait for each other.
    const env = { OPENBLAS_NUM_THREADS: '1' };
    const { stdout } = await execa(pythonExecutable, [REFERENCE, script], { env });
    output = outputSchema.parse(JSON.parse(stdout));
  }, IMPORTS_MILLISECONDS);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(['distinct', 'tied'] as const)('equal scikit-learn on rows with %s scores', (scores) => {
    const { figures, decision } = output[scores];
    expect(Object.keys(figures).sort()).toEqual(METRICS.map(({ name }) => name).sort());
    // Equal-count bins and the top of a ranking cut ties at random by rows, and pro rata by bins.
    const tolerance = (name: string): number =>
      scores === 'tied' && (name.startsWith('lift') || name === 'calibration_error') ? 0.05 : 1e-4;
    for (const [name, [ours, reference]] of Object.entries(figures))
      expect(Math.abs(ours - reference), `${name}: ${ours}, ${reference}`).toBeLessThan(tolerance(name));
    for (const [name, [ours, reference]] of Object.entries(decision))
      expect(ours, name).toBeCloseTo(reference, 10);
  });

  it('have intervals like those of a bootstrap over rows, the same every time', () => {
    const { figures, intervals, again } = output.distinct;
    expect(Object.keys(intervals).sort()).toEqual(
      Object.keys(figures)
        .filter((name) => !name.startsWith('lift'))
        .sort(),
    );
    for (const [name, [[low, high], [lowOfRows, highOfRows]]] of Object.entries(intervals)) {
      const width = highOfRows - lowOfRows;
      expect(Math.abs(low - lowOfRows), `${name}: ${low}, ${lowOfRows}`).toBeLessThan(width / 8);
      expect(Math.abs(high - highOfRows), `${name}: ${high}, ${highOfRows}`).toBeLessThan(width / 8);
    }
    expect(again).toBe(true);
  });

  it.each(['distinct', 'tied'] as const)('come with tenths of %s scores, for drift', (scores) => {
    const [ours, reference] = output[scores].scoreBins;
    expect(ours).toEqual(reference);
    expect(ours.rows.reduce((sum, rows) => sum + rows, 0)).toBe(600);
    if (scores === 'distinct') expect(ours.rows).toEqual(Array.from({ length: 10 }, () => 60));
  });

  it('are numbers also where a slope has no end, because the score separates all rows', () => {
    const { auc, calibration_slope: slope } = output.oneSided.separable;
    expect(auc).toEqual({ value: 1, low: 1, high: 1 });
    expect(slope?.value).toBeGreaterThan(10);
    expect(slope?.high).toBeGreaterThanOrEqual(slope?.low ?? Number.POSITIVE_INFINITY);
  });

  it('leave out what cannot be computed', () => {
    const { evaluation, scoreBins, worseThanChance } = output.oneSided;
    expect(Object.keys(evaluation.metrics).sort()).toEqual(['brier', 'calibration_error', 'log_loss']);
    expect(evaluation.reliability).toHaveLength(10);
    // A score that is the same for all users has no tenths.
    expect(scoreBins).toEqual({ starts: [], rows: [50] });
    // A score that ranks worse than chance must not turn the probabilities upside down.
    expect(worseThanChance.slope).toBe(0);
    expect(worseThanChance.intercept).toBeCloseTo(Math.log(10 / 30), 1);
  });

  it('choose the simplest candidate that is within one standard error of the best', () => {
    expect(output.choices).toEqual({ simplestIsClose: 0, secondIsClose: 1, noneIsClose: 2, alone: 0 });
  });
});
