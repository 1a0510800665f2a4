/** Samples compared with the other users: by scipy on the same values, and as often right as is stated. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { COMPARED_LABEL, SAMPLE_TEST_LEVEL, SAMPLE_TEST_POWER } from '../../domain/homogeneity.ts';
import { homogeneitySchema, sampleComparisonSchema } from '../../domain/results.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { referenceOutput } from '../support/reference.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./homogeneity_reference.py', import.meta.url);

const outputSchema = z.strictObject({
  ours: sampleComparisonSchema,
  /** Distance, p-value and corrected p-value. */
  scipy: z.record(z.string(), z.tuple([z.number(), z.number(), z.number()])),
  falseAlarms: z.number(),
  powers: z.record(z.string(), z.number()),
  spark: z.strictObject({
    first: homogeneitySchema,
    again: z.boolean(),
    missing: z.tuple([z.number(), z.number()]),
    small: z.array(homogeneitySchema),
  }),
});

describe('a sample of the users', () => {
  let folder: string;
  let output: z.infer<typeof outputSchema>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const printed = await referenceOutput(folder, REFERENCE, [trainModels]);
    output = outputSchema.parse(printed);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has the distance and the p-values that scipy and the definitions give, in every feature', () => {
    const { differences } = output.ours;
    expect(differences).toHaveLength(Object.keys(output.scipy).length);
    for (const { feature, distance, pValue, adjusted } of differences) {
      const [gap = Number.NaN, p = Number.NaN, corrected = Number.NaN] = output.scipy[feature] ?? [];
      expect(distance, feature).toBeCloseTo(gap, 8);
      expect(pValue, feature).toBeCloseTo(p, 8);
      expect(adjusted, feature).toBeCloseTo(corrected, 8);
    }
    const tests = new Set(differences.map(({ test }) => test));
    expect(tests).toEqual(new Set(['kolmogorov_smirnov', 'chi_square', 'fisher_exact']));
  });

  it('is seldom said to differ where it is drawn at random', () => {
    // Of 30 samples: more than 5 are improbable at 5 % (2 in 1,000).
    expect(output.falseAlarms).toBeLessThanOrEqual(5 / 30);
    expect(SAMPLE_TEST_LEVEL).toBe(0.05);
  });

  it.each(['amounts', 'ties', 'common', 'rare'])(
    'shows the smallest stated distance as often as stated: %s',
    (kind) => {
      // A standard error of 400 draws is .02.
      expect(output.powers[kind]).toBeGreaterThan(SAMPLE_TEST_POWER - 0.05);
      expect(output.powers[kind]).toBeLessThan(0.98);
    },
  );

  it('is the same users every time, with missing values as the lowest', () => {
    const { first, again, missing } = output.spark;
    expect(again).toBe(true);
    expect(missing).toEqual([1, 0]);
    expect(first.users).toBe(6_000);
    expect(first.samples.map(({ sample, users, others }) => [sample, users, others])).toEqual([
      ['one_percent', 60, 5_940],
      ['medium_set', 449, 5_551],
    ]);
    for (const { users, cancelled, differences } of first.samples) {
      expect(differences.some(({ feature }) => feature === COMPARED_LABEL)).toBe(true);
      expect(cancelled).toBeLessThan(users);
      expect(differences.map(({ pValue }) => pValue)).toEqual(
        differences.map(({ pValue }) => pValue).sort((a, b) => a - b),
      );
    }
  });

  it('is not tested where it is a tenth of the log or a handful of users', () => {
    const [mini, small] = output.spark.small;
    expect(mini?.samples.map(({ users, differences }) => [users, differences.length])).toEqual([
      [2, 0],
      [449, 0],
    ]);
    expect(small?.samples.map(({ users, differences }) => [users, differences.length > 0])).toEqual([
      [25, true],
      [449, false],
    ]);
  });
});
