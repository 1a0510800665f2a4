/** A model that a whole run chose is trained again: the same, whatever kind it is, until something of it is changed. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MODEL } from '../../domain/lake-objects.ts';
import { generateLog } from '../../generator/generate.ts';
import { churn, successfulRun } from '../support/command-line.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

let folder: string;
let lake: string;
let runId: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  lake = join(folder, 'lake');
  const log = join(folder, 'log');
  await generateLog({ users: 700, days: 62, seed: 5, outputFolder: log });
  ({ runId } = await successfulRun(lake, log));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function verify() {
  const { code, output } = await churn('models', '--verify', runId, '--lake', lake, '--json').ended;
  return { code, found: JSON.parse(output) };
}

it('is the same model, to a millionth', async () => {
  const description = JSON.parse(await readFile(join(lake, MODEL.of(runId).key), 'utf8'));
  expect(description.kind).not.toBe('base_rate');
  const { code, found } = await verify();
  expect(found.differences).toEqual([]);
  expect(code).toBe(0);
});

it('is another model when one coefficient was changed, which is named', async () => {
  const file = join(lake, MODEL.of(runId).key);
  const description = JSON.parse(await readFile(file, 'utf8'));
  const { slope } = description.calibration;
  description.calibration.slope = slope * 1.001;
  await writeFile(file, JSON.stringify(description));
  const { code, found } = await verify();
  expect(found.differences).toEqual([
    { place: 'model.json calibration.slope', stored: description.calibration.slope, again: slope },
  ]);
  expect(code).toBe(1);
});
