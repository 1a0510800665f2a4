/** Champions that cannot score: the run goes on without them, and people read why. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { championTestSchema } from '../../domain/results.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

const REFERENCE = new URL('./champion_reference.py', import.meta.url).pathname;
const output = z.record(z.string(), championTestSchema.nullable());

describe('train-models goes on without a champion that cannot score', () => {
  let folder: string;
  let tests: z.infer<typeof output>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'churn-champion-'));
    const script = join(folder, trainModels.scriptName);
    await writeFile(script, trainModels.script);
    const { stdout } = await execa(pythonExecutable, [REFERENCE, script]);
    tests = output.parse(JSON.parse(stdout));
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each<[string, RegExp]>([
    ['gone', /^its files cannot be read: there is no model at /],
    ['damaged', /^its files cannot be read: /],
    ['horizon', /^it predicts 7 days ahead, and this run 14$/],
    ['catalogue', /^the feature catalogue has changed since: \w+$/],
    ['segments', /^the feature catalogue has changed since: \w+$/],
    ['older release', /^an older version stored it, without the definitions of its inputs$/],
    ['kind', /^this version has no model of the kind oracle$/],
  ])('%s', (why, reason) => {
    const found = tests[why];
    expect(found?.notUsable).toMatch(reason);
    expect(found).toMatchObject({ runId: 'run-0', comparable: false, evaluation: null, difference: null });
  });

  it('finds none where there is none', () => {
    expect(tests.none).toBeNull();
  });
});
