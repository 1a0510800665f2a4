/** Boosting when executors are lost: a reclaimed instance must not end a run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { trainModels } from '../../emr-steps/train-models.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

const REFERENCE = new URL('./boosting_reference.py', import.meta.url).pathname;

it('boosts again when an executor with a barrier task was lost, three times at most, and after no other error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'churn-boosting-'));
  try {
    const script = join(folder, trainModels.scriptName);
    await writeFile(script, trainModels.script);
    const { stdout } = await execa(pythonExecutable, [REFERENCE, script]);
    expect(JSON.parse(stdout)).toEqual({
      nothing: { fits: 1, outcome: 'model of rows' },
      twice: { fits: 3, outcome: 'model of rows' },
      always: { fits: 3, outcome: expect.stringContaining('Could not recover from a failed barrier') },
      'another error': { fits: 1, outcome: expect.stringContaining('out of memory') },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
