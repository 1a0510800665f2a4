/** The grid of cutoffs: the same past cutoffs from run to run, and what a log without any does. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runSettingsSchema } from '../../domain/run.ts';
import { addDays } from '../../domain/time.ts';
import { buildFeatures } from '../../emr-steps/build-features.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

const SETTINGS = runSettingsSchema.parse({});
const FIRST_DAY = '2018-10-01';
/** Observed days, and a day of the grid, if the lake keeps one. */
const CASES = {
  first: { days: 62, anchor: null },
  'a day later': { days: 63, anchor: addDays(FIRST_DAY, 48) },
  'five days later': { days: 67, anchor: addDays(FIRST_DAY, 48) },
  'an anchor of a later day': { days: 67, anchor: addDays(FIRST_DAY, 148) },
  'as short as possible': { days: 42, anchor: null },
  'too short': { days: 41, anchor: null },
  'short and off the grid': { days: 44, anchor: addDays(FIRST_DAY, 28) },
  'two training cutoffs': { days: 49, anchor: null },
  'three training cutoffs': { days: 54, anchor: null },
  long: { days: 400, anchor: null },
} as const;
type CaseName = keyof typeof CASES;

const output = z.array(z.union([z.string(), z.array(z.tuple([z.string(), z.string()]))]));

describe('the cutoffs', () => {
  let folder: string;
  let planned: z.infer<typeof output>;
  const of = (name: CaseName): z.infer<typeof output>[number] =>
    planned[Object.keys(CASES).indexOf(name)] ?? [];
  /** Days since the first day of the log, by role. */
  const days = (name: CaseName, role: string): readonly number[] => {
    const cutoffs = of(name);
    if (typeof cutoffs === 'string') throw new Error(cutoffs);
    return cutoffs
      .filter(([its]) => its === role)
      .map(([, day]) => (Date.parse(day) - Date.parse(FIRST_DAY)) / 86_400_000);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'churn-cutoffs-'));
    const script = join(folder, buildFeatures.scriptName);
    await writeFile(script, buildFeatures.script);
    const cases = Object.values(CASES).map((one) => ({
      firstDay: FIRST_DAY,
      observationEnd: addDays(FIRST_DAY, one.days),
      settings: { ...SETTINGS, cutoffAnchor: one.anchor },
    }));
    await writeFile(join(folder, 'cases.json'), JSON.stringify(cases));
    const reference = new URL('./cutoffs_reference.py', import.meta.url).pathname;
    const { stdout } = await execa(pythonExecutable, [reference, script, join(folder, 'cases.json')]);
    planned = output.parse(JSON.parse(stdout));
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('of the first run are counted from its end less the horizon, five days apart', () => {
    expect(days('first', 'train')).toEqual([18, 23, 28, 33]);
    expect(days('first', 'test')).toEqual([48]);
    expect(days('first', 'score')).toEqual([62]);
  });

  it('stay where they are when the log grows, and the scoring cutoff is the end of the log', () => {
    expect(days('a day later', 'train')).toEqual(days('first', 'train'));
    expect(days('a day later', 'test')).toEqual([48]);
    expect(days('a day later', 'score')).toEqual([63]);
    expect(days('five days later', 'train')).toEqual([18, 23, 28, 33, 38]);
    expect(days('five days later', 'test')).toEqual([53]);
    expect(of('an anchor of a later day')).toEqual(of('five days later'));
  });

  it('are counted from the end of a log that has none on the grid', () => {
    expect(days('as short as possible', 'train')).toEqual([14]);
    expect(days('as short as possible', 'test')).toEqual([28]);
    expect(days('short and off the grid', 'train')).toEqual([16]);
    expect(days('short and off the grid', 'test')).toEqual([30]);
  });

  it('are the newest 26, the test among them', () => {
    expect(days('long', 'train')).toHaveLength(25);
    expect(days('long', 'train').at(-1)).toBe(371);
  });

  it('between training and test are for the record, where two training cutoffs had ended by then', () => {
    // Their training rows end where those of a run of that day would: 43 - 14 is beyond 28, and 38 - 14 beyond 23.
    expect(days('first', 'past')).toEqual([38, 43]);
    expect(days('five days later', 'past')).toEqual([43, 48]);
    expect(days('as short as possible', 'past')).toEqual([]);
    expect(days('two training cutoffs', 'train')).toEqual([15, 20]);
    expect(days('two training cutoffs', 'past')).toEqual([]);
    expect(days('three training cutoffs', 'train')).toEqual([15, 20, 25]);
    expect(days('three training cutoffs', 'past')).toEqual([35]);
    expect(days('long', 'past')).toEqual([376, 381]);
  });

  it('need 42 days of log', () => {
    expect(of('too short')).toMatch(/needs 42 days and has 41/);
  });
});
