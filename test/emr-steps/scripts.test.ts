/** The generated scripts, whole, as a reviewer and the cluster see them. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { STEP_NAMES } from '../../domain/run.ts';
import { generateTypes } from '../../emr-steps/generation/types.ts';
import { STEPS } from '../../emr-steps/steps.ts';
import { trainModels } from '../../emr-steps/train-models.ts';

const generated = (name: string): Promise<string> =>
  readFile(new URL(`../../emr-steps/generated/${name}`, import.meta.url), 'utf8');
const REMEDY = 'run npm run generate and review the difference';

it('every step is filed under its own name', () => {
  expect(Object.entries(STEPS).map(([key, { name }]) => [key, name])).toEqual(
    STEP_NAMES.map((name) => [name, name]),
  );
});

describe('emr-steps/generated', () => {
  it.each(Object.values(STEPS))('holds $scriptName as it is generated', async (step) => {
    expect(await generated(step.scriptName), REMEDY).toBe(step.script);
  });

  it('holds the types that the generator makes from the schemas', async () => {
    for (const [name, text] of await generateTypes())
      expect(await generated(`types/${name}.py`), REMEDY).toBe(text);
  });
});

// Its parts run side by side in one session, where a view of the same name would replace the other one's rows.
it('train-models gives each view a name of its own', () => {
  const views = [...trainModels.script.matchAll(/createOrReplaceTempView\("(\w+)"\)/g)].map(
    ([, name]) => name,
  );
  expect(views.length).toBeGreaterThan(0);
  expect(views.filter((name, index) => views.indexOf(name) !== index)).toEqual([]);
});
