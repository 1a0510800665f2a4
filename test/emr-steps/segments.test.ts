/** Behaviour segments on drawn users whose segments are known: no Spark needed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compose } from '../../emr-steps/composition/compose.ts';
import { segmentRegression } from '../../emr-steps/fragments/segment-regression.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

const REFERENCE = new URL('./segments_reference.py', import.meta.url).pathname;
const FIT_MILLISECONDS = 120_000;
/** As segments_reference.py draws them, the largest first. */
const SIZES = [0.6, 0.25, 0.15];
const DISLIKES = 1;
const FREE_ADVERTS = 2;

const outputSchema = z.strictObject({
  sizes: z.array(z.number()),
  rates: z.array(z.array(z.number())),
  hazards: z.array(z.tuple([z.number(), z.number()])),
  found: z.number(),
  segmentsOfAlike: z.number(),
  losses: z.strictObject({
    segments: z.number(),
    baseRate: z.number(),
    changeByFolding: z.number(),
    errorOfChange: z.number(),
    errorOfLoss: z.number(),
  }),
  again: z.boolean(),
  ofFew: z.null(),
  meanScore: z.number(),
  baseRate: z.number(),
});

describe('segments', () => {
  let folder: string;
  let output: z.infer<typeof outputSchema>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'churn-segments-'));
    const script = join(folder, 'segments.py');
    await writeFile(script, compose([segmentRegression], 'Segments alone.'));
    const { stdout } = await execa(pythonExecutable, [REFERENCE, script], {
      env: { OPENBLAS_NUM_THREADS: '1' },
    });
    output = outputSchema.parse(JSON.parse(stdout));
  }, FIT_MILLISECONDS);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are found again: how many, how large, how they behave, and who belongs to which', () => {
    const { sizes, rates, found } = output;
    expect(sizes).toHaveLength(SIZES.length);
    for (const [index, size] of SIZES.entries()) expect(sizes[index]).toBeCloseTo(size, 1);
    expect(Math.max(...rates.map((of) => of[DISLIKES] ?? 0))).toBeCloseTo(0.035, 2);
    expect(Math.max(...rates.map((of) => of[FREE_ADVERTS] ?? 0))).toBeCloseTo(0.2, 2);
    expect(found).toBeGreaterThan(0.8);
  });

  it('differ in their hazards, and foretell better than the base rate', () => {
    const { hazards, rates, losses } = output;
    const grumpy = rates.findIndex((of) => (of[DISLIKES] ?? 0) > 0.025);
    expect(hazards[grumpy]?.[0]).toBeGreaterThan(3 * (hazards[0]?.[0] ?? 0));
    expect(losses.baseRate - losses.segments).toBeGreaterThan(2 * losses.errorOfChange);
  });

  it('come with probabilities that add up to the cancellations', () => {
    expect(output.meanScore).toBeCloseTo(output.baseRate, 3);
  });

  it('are one where all users behave alike', () => {
    expect(output.segmentsOfAlike).toBe(1);
  });

  it('may see all training users: without those of the fold, the log loss is the same within its error', () => {
    const { changeByFolding, errorOfLoss } = output.losses;
    expect(Math.abs(changeByFolding)).toBeLessThan(errorOfLoss);
  });

  it('are the same every time', () => {
    expect(output.again).toBe(true);
  });

  it('are not told apart where too few users cancel', () => {
    expect(output.ofFew).toBeNull();
  });
});
