/** What train-models stores of the same scores, on processors that numpy and OpenBLAS are told to see. No Spark needed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainModels } from '../../emr-steps/train-models.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

const FIGURES = new URL('./figures_of_scores.py', import.meta.url).pathname;
/** The script imports Spark, XGBoost and scikit-learn. */
const IMPORTS_MILLISECONDS = 120_000;

/** Both libraries can be told to use less than the processor has, so these work on any; a name of another kind is ignored. */
const PROCESSORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no AVX-512': {
    NPY_DISABLE_CPU_FEATURES: 'AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR',
  },
  'neither AVX-512 nor AVX2': {
    NPY_DISABLE_CPU_FEATURES:
      'AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR AVX2 FMA3',
  },
  'AVX but not AVX2, for BLAS': { OPENBLAS_CORETYPE: 'Sandybridge' },
  'SSE3 alone, for BLAS': { OPENBLAS_CORETYPE: 'Prescott' },
  'one core, for BLAS': { OPENBLAS_NUM_THREADS: '1' },
};

describe('the figures of train-models', () => {
  let folder: string;
  let script: string;
  let here: string;
  const figuresOn = async (processor: Readonly<Record<string, string>>): Promise<string> =>
    (await execa(pythonExecutable, [FIGURES, script], { env: processor })).stdout;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'churn-processors-'));
    script = join(folder, trainModels.scriptName);
    await writeFile(script, trainModels.script);
    here = await figuresOn({});
  }, IMPORTS_MILLISECONDS);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(Object.entries(PROCESSORS))(
    'are to the byte the same on a processor with %s',
    async (_, processor) => {
      expect(await figuresOn(processor)).toBe(here);
    },
    IMPORTS_MILLISECONDS,
  );

  it('know no negative zero', () => {
    expect(here).not.toMatch(/-0\.0\b/);
  });
});
