/** The retrospective protocol: what it sees of the users, and its figures, by brute force and by scikit-learn. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { USER_DAYS } from '../../domain/lake.ts';
import { estimateSchema, retrospectiveFiguresSchema, retrospectiveSchema } from '../../domain/results.ts';
import { RETROSPECTIVE_MODELS } from '../../domain/retrospective.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { referenceOutput } from '../support/reference.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./retrospective_reference.py', import.meta.url);
const COLUMNS = USER_DAYS.columns.map(({ name, type }) => `${name} ${type}`).join(', ');

const numbers = z.array(z.number());
const outputSchema = z.strictObject({
  users: z.strictObject({
    labels: z.tuple([numbers, numbers]),
    six: z.tuple([z.array(numbers), z.array(numbers)]),
    largest: z.number(),
    inputs: z.number(),
  }),
  figures: z.strictObject({
    figures: z.array(z.tuple([retrospectiveFiguresSchema, retrospectiveFiguresSchema])),
    thresholds: z.array(z.tuple([z.number(), z.number()])),
    everybody: z.number(),
    difference: estimateSchema,
    bootstrap: z.tuple([z.number(), z.number(), z.number()]),
  }),
  models: z.strictObject({ first: retrospectiveSchema, again: z.boolean(), few: z.null() }),
});

describe('the retrospective protocol', () => {
  let folder: string;
  let output: z.infer<typeof outputSchema>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const printed = await referenceOutput(folder, REFERENCE, [trainModels], [COLUMNS]);
    output = outputSchema.parse(printed);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('sees the days before the own last day of each user, and no later ones', () => {
    const { labels, six, largest, inputs } = output.users;
    expect(labels[0]).toEqual(labels[1]);
    expect(labels[0].length).toBeGreaterThan(150);
    expect(six[0]).toHaveLength(six[1].length);
    six[0].forEach((values, user) => {
      values.forEach((value, index) => {
        expect(value, `user ${user}, feature ${index}`).toBeCloseTo(six[1][user]?.[index] ?? Number.NaN, 9);
      });
    });
    // On the last day 10,000 of everything were counted.
    expect(largest).toBeLessThan(1_000);
    expect(inputs).toBe(FEATURES.filter(({ readBy }) => readBy === undefined).length);
  });

  it('has the figures of scikit-learn, as they are and reweighted, at the threshold with the best F1', () => {
    for (const [ours, reference] of output.figures.figures)
      for (const name of retrospectiveFiguresSchema.keyof().options)
        expect(ours[name], name).toBeCloseTo(reference[name], 8);
    for (const [f1, best] of output.figures.thresholds) expect(f1).toBeCloseTo(best, 12);
    // To say of everybody that they cancel, where 56 % have.
    expect(output.figures.everybody).toBeCloseTo(0.718, 3);
  });

  it('compares two models on the same users, with the interval of a bootstrap', () => {
    const { difference, bootstrap } = output.figures;
    const width = bootstrap[2] - bootstrap[0];
    expect(Math.abs((difference.low ?? 9) - bootstrap[0])).toBeLessThan(width / 8);
    expect(Math.abs(difference.value - bootstrap[1])).toBeLessThan(width / 8);
    expect(Math.abs((difference.high ?? 9) - bootstrap[2])).toBeLessThan(width / 8);
  });

  it('judges the six-feature recipe and ours on one split, the same every time', () => {
    const { first, again, few } = output.models;
    expect(again).toBe(true);
    expect(few).toBeNull();
    expect(first.evaluations.map(({ model }) => model)).toEqual(RETROSPECTIVE_MODELS.map(({ name }) => name));
    expect(first.testUsers / first.users).toBeCloseTo(0.3, 2);
    expect(first.testCancelled / first.testUsers).toBeCloseTo(first.cancelled / first.users, 2);
    const of = (model: string) => first.evaluations.find((one) => one.model === model)?.figures.test.auc ?? 0;
    expect(first.difference.value).toBeCloseTo(of('boosted_trees') - of(first.bestSix), 8);
    expect(first.difference.low).toBeGreaterThan(0);
    for (const { model, figures } of first.evaluations) {
      expect(figures.test_reweighted.auc, model).toBe(figures.test.auc);
      expect(figures.test_reweighted.f1, model).toBeGreaterThan(figures.test.f1);
    }
  });
});
