/** Slices and drivers on real Spark, beside pandas, scikit-learn and SciPy on the same rows. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DEALS } from '../../domain/drivers.ts';
import { CANDIDATES } from '../../domain/models.ts';
import { driversSchema, featureBandSchema, sliceSchema } from '../../domain/results.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { referenceOutput } from '../support/reference.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./drivers_reference.py', import.meta.url);

const pair = z.tuple([z.number(), z.number()]);
const foundSchema = z.strictObject({
  /** How far the scores in numpy are from those in Spark, and their spread. */
  difference: z.record(z.string(), pair),
  slices: z.strictObject({ stated: z.array(sliceSchema), expected: z.array(sliceSchema) }),
  regression: driversSchema,
  again: z.boolean(),
  /** Mean and deviation over many deals. */
  falls: z.record(z.string(), pair),
  groupFalls: z.record(z.string(), pair),
  counted: z.record(z.string(), z.array(featureBandSchema)),
  correlations: z.record(z.string(), z.number()),
  segments: driversSchema,
  channelCorrelations: z.record(z.string(), z.number()),
  fewer: driversSchema,
  oneOutcome: driversSchema.nullable(),
  users: z.number(),
  starts: z.array(z.array(z.number())),
});

describe('what train-models says of parts of the users and of what drives a model', () => {
  let folder: string;
  let found: z.infer<typeof foundSchema>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const printed = await referenceOutput(folder, REFERENCE, [trainModels], [join(folder, 'forest')]);
    found = foundSchema.parse(printed);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(CANDIDATES.map(({ name }) => name))('scores by %s in numpy are those of Spark', (kind) => {
    const [difference = Number.NaN, spread = 0] = found.difference[kind] ?? [];
    expect(spread).toBeGreaterThan(0.1);
    // Raw scores are rounded to six decimals, and boosted trees have those of single precision.
    expect(difference).toBeLessThan(3e-6);
  });

  it('slices have the users, cancellations, predictions and areas that scikit-learn finds', () => {
    const { stated, expected } = found.slices;
    const keysOf = (slices: typeof stated) =>
      slices.map(({ model, variable, value }) => `${model} ${variable} ${value}`);
    expect(keysOf(stated)).toEqual(keysOf(expected));
    expect(new Set(stated.map(({ variable }) => variable)).size).toBe(6);
    expect(keysOf(stated)).toEqual(
      expect.arrayContaining([
        'champion gender unknown',
        'challenger region unknown',
        'challenger segment 3',
      ]),
    );
    stated.forEach((slice, index) => {
      const { predicted, auc, ...counts } = expected[index] ?? slice;
      const name = `${slice.model} ${slice.variable} ${slice.value}`;
      expect(slice, name).toMatchObject(counts);
      expect(slice.predicted, name).toBeCloseTo(predicted, 5);
      if (auc === null) expect(slice.auc, name).toBeNull();
      else expect(slice.auc, name).toBeCloseTo(auc, 8);
    });
  });

  it('the AUC falls as much as it does on the average of many deals', () => {
    const { features, groups } = found.regression;
    const near = (fall: number, [mean, deviation]: readonly [number, number], deals: number, name: string) =>
      expect(Math.abs(fall - mean), name).toBeLessThan((4.5 * deviation) / Math.sqrt(deals) + 1e-9);
    for (const { feature, fall, least, most } of features) {
      near(fall, found.falls[feature] ?? [Number.NaN, 0], DEALS.feature, feature);
      expect(least).toBeLessThanOrEqual(fall);
      expect(most).toBeGreaterThanOrEqual(fall);
    }
    for (const { group, fall } of groups)
      near(fall, found.groupFalls[group] ?? [Number.NaN, 0], DEALS.group, group);
    expect(groups.map(({ group }) => group).toSorted()).toEqual(Object.keys(found.groupFalls));
    for (const falls of [features, groups].map((list) => list.map(({ fall }) => fall)))
      expect(falls).toEqual(falls.toSorted((a, b) => b - a));
    expect(features[0]?.fall).toBeGreaterThan(0.02);
    expect(found.again).toBe(true);
  });

  it('a feature goes with the score in the direction of Spearman’s correlation', () => {
    for (const { feature, correlation } of found.regression.features)
      expect(correlation, feature).toBeCloseTo(found.correlations[feature] ?? Number.NaN, 6);
    const { features } = found.segments;
    for (const [channel, expected] of Object.entries(found.channelCorrelations))
      expect(features.find(({ feature }) => feature === channel)?.correlation).toBeCloseTo(expected, 6);
  });

  it('the range of a feature is divided into bands that hold every user once', () => {
    for (const { feature, bands } of found.regression.features) {
      const counted = found.counted[feature] ?? [];
      bands.forEach(({ predicted, ...band }, index) => {
        expect({ feature, ...counted[index] }).toMatchObject({ feature, ...band });
        expect(predicted, feature).toBeCloseTo(counted[index]?.predicted ?? Number.NaN, 5);
      });
      expect(bands.reduce((sum, { users }) => sum + users, 0)).toBe(found.users);
    }
    const bandsOf = (name: string) =>
      found.regression.features.find(({ feature }) => feature === name)?.bands ?? [];
    expect(bandsOf('is_paid').map(({ lowest, highest }) => [lowest, highest])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    // Those who lack the value come last.
    expect(bandsOf('days_since_level_change').at(-1)).toMatchObject({ lowest: null, highest: null });
    // The value that most have is a band of its own.
    expect(bandsOf('downgrade_visits_last_7_days')[0]).toMatchObject({ lowest: 0, highest: 0 });
    const tenths = bandsOf('events_per_day').map(({ users }) => users);
    expect(tenths).toHaveLength(10);
    for (const users of tenths) expect(Math.abs(users - found.users / 10)).toBeLessThan(3);
  });

  it('bands begin where one is full, and a value of many users keeps to itself', () => {
    const [heavy, even, odd, one, none] = found.starts;
    expect(heavy).toEqual([1]);
    expect(even).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    // The last four would be a thin band of their own.
    expect(odd).toEqual([11, 22, 33, 44, 55, 66, 77, 88]);
    expect([one, none]).toEqual([[], []]);
  });

  it('at most so many users are dealt among, and the range is that of all', () => {
    expect(found.fewer.users).toBeLessThanOrEqual(100);
    expect(found.fewer.users).toBeGreaterThan(60);
    for (const { bands } of found.fewer.features)
      expect(bands.reduce((sum, { users }) => sum + users, 0)).toBe(found.users);
    expect(found.oneOutcome).toBeNull();
  });
});
