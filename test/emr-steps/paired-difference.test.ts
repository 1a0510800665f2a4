/** The paired interval against the bootstrap of rows, and what promotion makes of drawn scores: no Spark needed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { estimateSchema } from '../../domain/results.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { chooseModel } from '../../lambda/choose-model/decide.ts';
import { pythonExecutable } from '../../setup/environment.mjs';
import { championTest, INGEST, TRAINING } from '../support/run-fixture.ts';

const REFERENCE = new URL('./paired_reference.py', import.meta.url).pathname;
const LONG_MILLISECONDS = 180_000;
const SETTINGS = {
  mode: 'automatic',
  margin: 0,
  leakageAuc: 0.85,
  leakageInputAuc: 0.75,
  acceptedFeatures: [],
  maxQuarantineShare: 0.05,
} as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'churn-paired-'));
  await writeFile(join(folder, trainModels.scriptName), trainModels.script);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function drawn<Output>(schema: z.ZodType<Output>, what: string, resamples: number): Promise<Output> {
  const args = [REFERENCE, join(folder, trainModels.scriptName), what, String(resamples)];
  const { stdout } = await execa(pythonExecutable, args, { env: { OPENBLAS_NUM_THREADS: '1' } });
  return schema.parse(JSON.parse(stdout));
}

/** Whether the challenger takes over, by the decision that ChooseModel takes. */
function isPromoted(difference: z.infer<typeof estimateSchema>): boolean {
  const champion = championTest({ difference });
  const { runId, modelUri, testCutoff } = champion;
  return chooseModel({
    plan: {
      runId: 'run-1',
      champion: { runId, modelUri, testCutoff },
      promotion: { ...SETTINGS, acceptedFeatures: [] },
      observedBefore: null,
    },
    training: { ...TRAINING, champion },
    ingest: INGEST,
    observationEnd: '2018-12-03',
  }).challengerScores;
}

describe('the paired difference of two models', () => {
  it(
    'has the value of scikit-learn, and an interval as wide as that of the bootstrap of rows within a tenth',
    async () => {
      const compared = await drawn(
        z.array(
          z.object({
            users: z.number(),
            ours: estimateSchema,
            reference: z.tuple([z.number(), z.number()]),
            value: z.number(),
          }),
        ),
        'widths',
        1_000,
      );
      for (const { users, ours, reference, value } of compared) {
        expect(ours.value).toBeCloseTo(value, 8);
        const width = (ours.high ?? Number.NaN) - (ours.low ?? Number.NaN);
        const share = width / (reference[1] - reference[0]);
        // A sample of half the rows has a width of its own error; both bootstraps have some chance of their own.
        expect(share, `${users} users`).toBeGreaterThan(users > 3_000 ? 0.8 : 0.9);
        expect(share, `${users} users`).toBeLessThan(users > 3_000 ? 1.2 : 1.1);
      }
    },
    LONG_MILLISECONDS,
  );
});

describe('promotion on drawn scores', () => {
  it(
    'of equal models is as frequent in the last quarter of a year as in the first',
    async () => {
      const years = await drawn(z.array(z.array(estimateSchema)), 'weeks', 200);
      const share = (from: number, to: number): number => {
        const weeks = years.flatMap((year) => year.slice(from, to));
        return weeks.filter(isPromoted).length / weeks.length;
      };
      expect(Math.abs(share(39, 52) - share(0, 13))).toBeLessThanOrEqual(0.05);
      expect(share(0, 52)).toBeGreaterThan(0.93);
    },
    LONG_MILLISECONDS,
  );

  it(
    'refuses a challenger that is worse by half, and replaces a champion that is',
    async () => {
      const { worse, better } = await drawn(
        z.object({ worse: z.array(estimateSchema), better: z.array(estimateSchema) }),
        'steps',
        120,
      );
      const mean = worse.reduce((sum, { value }) => sum + value, 0) / worse.length;
      expect(Math.abs(mean + 0.5)).toBeLessThan(0.15);
      expect(worse.filter(isPromoted).length / worse.length).toBeLessThanOrEqual(0.05);
      expect(better.filter(isPromoted).length / better.length).toBeGreaterThanOrEqual(0.95);
    },
    LONG_MILLISECONDS,
  );
});
