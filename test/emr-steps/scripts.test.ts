/** The generated scripts, whole, as a reviewer and the cluster see them. */
import { describe, expect, it } from 'vitest';
import { STEP_NAMES } from '../../domain/run.ts';
import { STEPS } from '../../emr-steps/steps.ts';

it('every step is filed under its own name', () => {
  expect(Object.entries(STEPS).map(([key, { name }]) => [key, name])).toEqual(
    STEP_NAMES.map((name) => [name, name]),
  );
});

describe('generated scripts', () => {
  it.each(Object.values(STEPS))('$scriptName', async (step) => {
    await expect(step.script).toMatchFileSnapshot(`../../emr-steps/generated/${step.scriptName}`);
  });
});
