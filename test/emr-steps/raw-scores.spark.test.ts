/** Raw scores on real Spark, on both sides of zero. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CANDIDATES } from '../../domain/models.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { referenceOutput } from '../support/reference.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

const SCORES = new URL('./raw_scores.py', import.meta.url);

const outputSchema = z.strictObject({
  scores: z.record(z.string(), z.array(z.number())),
  beyond: z.record(z.string(), z.tuple([z.number(), z.number()])),
  segments: z.strictObject({ segments: z.number(), scores: z.number(), spread: z.number() }),
});

describe('a raw score', () => {
  let folder: string;
  let scores: z.infer<typeof outputSchema>['scores'];
  let beyond: z.infer<typeof outputSchema>['beyond'];
  let segments: z.infer<typeof outputSchema>['segments'];

  beforeAll(async () => {
    folder = await temporaryFolder();
    const printed = await referenceOutput(folder, SCORES, [trainModels]);
    ({ scores, beyond, segments } = outputSchema.parse(printed));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  // toEqual tells -0 from 0.
  it.each(CANDIDATES.map(({ name }) => name).filter((name) => name !== 'random_forest'))(
    'of %s is rounded, and its zero has no sign',
    (kind) => {
      expect(scores[kind]).toEqual([-1.5, 0, 0, 0, 0, 0, 0, 1.5]);
    },
  );

  it('of a forest that is not sure is a zero without a sign', () => {
    expect(scores.random_forest?.slice(1, -1)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('of the baselines is never -0, in whichever direction the days count', () => {
    expect(scores.base_rate).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(scores.recency_rising).toEqual([0, 1.098612, 1.791759]);
    expect(scores.recency_falling).toEqual([-1.791759, -1.098612, 0]);
  });

  it('is a bin of its own: figures equal scikit-learn where test scores lie beyond all out-of-fold scores', () => {
    expect(Object.keys(beyond)).toContain('average_precision');
    for (const [name, [ours, reference]] of Object.entries(beyond))
      expect(Math.abs(ours - reference), `${name}: ${ours}, ${reference}`).toBeLessThan(1e-9);
  });

  it('of a regression on segments is in Spark SQL what numpy computes', () => {
    expect(segments.spread).toBeGreaterThan(0.1);
    expect(segments.segments).toBeLessThan(1e-9);
    // Raw scores are rounded to six decimals.
    expect(segments.scores).toBeLessThan(6e-7);
  });
});
