/** The generated scripts, whole, as a reviewer and the cluster see them. */
import { describe, expect, it } from 'vitest';
import { STEPS } from '../../emr-steps/steps.ts';

describe('generated scripts', () => {
  it.each(Object.values(STEPS))('$scriptName', async (step) => {
    await expect(step.script).toMatchFileSnapshot(`../../emr-steps/generated/${step.scriptName}`);
  });
});
