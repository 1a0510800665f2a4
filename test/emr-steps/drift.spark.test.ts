/** Drift on real Spark, where what happens between the two cutoffs is known, against the definition by numpy. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { driftLevel } from '../../domain/drift-thresholds.ts';
import { scoreUsers } from '../../emr-steps/score-users.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { referenceOutput } from '../support/reference.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./drift_reference.py', import.meta.url);

const outputSchema = z.strictObject({
  order: z.array(z.string()),
  indices: z.record(z.string(), z.tuple([z.number(), z.number()])),
  /** The same of about half of the users. */
  halved: z.record(z.string(), z.number()),
  scores: z.strictObject({
    unchanged: z.number(),
    shifted: z.number(),
    emptied: z.number(),
    constant: z.number(),
    noUsers: z.number(),
  }),
});

describe('drift', () => {
  let folder: string;
  let output: z.infer<typeof outputSchema>;
  const indexOf = (feature: string): number => output.indices[feature]?.[0] ?? Number.NaN;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const printed = await referenceOutput(folder, REFERENCE, [scoreUsers, trainModels]);
    output = outputSchema.parse(printed);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is the index of the definition, for every feature', () => {
    expect(Object.keys(output.indices)).toHaveLength(12);
    for (const [feature, [ours, reference]] of Object.entries(output.indices))
      expect(ours, feature).toBeCloseTo(reference, 5);
  });

  it.each(['unchanged', 'constant', 'never_known'])('is 0 for what is %s', (feature) => {
    expect(indexOf(feature)).toBe(0);
  });

  it('stays steady where the same distribution is drawn again', () => {
    expect(driftLevel(indexOf('drawn_again'))).toBe('steady');
  });

  it.each([
    'shifted',
    'beyond_all',
    'below_all',
    'no_longer_constant',
    'more_often',
    'more_often_missing',
    'newly_known',
  ])('alarms for what is %s', (feature) => {
    expect(driftLevel(indexOf(feature))).toBe('alarm');
    expect(Number.isFinite(indexOf(feature))).toBe(true);
  });

  it('sees an indicator that is mostly 1 turn 0', () => {
    // Shares .95, .05 become .8, .2: .15 ln(.95 / .8) + .15 ln(.2 / .05)
    expect(indexOf('more_often_zero')).toBeCloseTo(0.15 * Math.log(0.95 / 0.8) + 0.15 * Math.log(4), 5);
  });

  it('is about the same of a part of the users', () => {
    const { indices, halved } = output;
    expect(Object.keys(halved).sort()).toEqual(Object.keys(indices).sort());
    expect(halved.constant).toBe(0);
    for (const feature of ['shifted', 'more_often_zero', 'more_often_missing']) {
      expect(halved[feature], feature).not.toBe(indexOf(feature));
      expect(Math.abs((halved[feature] ?? 0) / indexOf(feature) - 1), feature).toBeLessThan(0.5);
    }
  });

  it('comes with the largest first', () => {
    const indices = output.order.map(indexOf);
    expect(indices).toEqual(indices.toSorted((a, b) => b - a));
  });

  it('of the score follows from how many reach each tenth', () => {
    const { unchanged, shifted, emptied, constant, noUsers } = output.scores;
    expect(noUsers).toBe(0);
    expect([unchanged, constant]).toEqual([0, 0]);
    expect(shifted).toBeCloseTo(0.25 * Math.log(1.5) + 0.25 * Math.log(2), 5);
    const none = 0.5 / 40;
    expect(emptied).toBeCloseTo(0.5 * Math.log(2) + (none - 0.5) * Math.log(none / 0.5), 5);
  });
});
