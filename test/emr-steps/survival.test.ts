/** Kaplan-Meier curves with delayed entry, beside those of lifelines for the same users. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LEAST_AT_RISK } from '../../domain/exploration.ts';
import { survivalPointSchema } from '../../domain/results.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

type User = readonly [entered: number, ended: number, cancelled: number];

const fixtureSchema = z.strictObject({
  madeBy: z.string(),
  users: z.array(z.tuple([z.number(), z.number(), z.number()])),
  /** Day, share, and its interval, on the days on which somebody cancels. */
  curve: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
});

describe('survival curves', () => {
  let folder: string;
  let fixture: z.infer<typeof fixtureSchema>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'churn-survival-'));
    await writeFile(join(folder, trainModels.scriptName), trainModels.script);
    const text = await readFile(new URL('./survival-by-lifelines.json', import.meta.url), 'utf8');
    fixture = fixtureSchema.parse(JSON.parse(text));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function curveOf(users: readonly User[], leastAtRisk: number) {
    await writeFile(join(folder, 'users.json'), JSON.stringify(users));
    const reference = new URL('./survival_reference.py', import.meta.url).pathname;
    const { stdout } = await execa(pythonExecutable, [
      reference,
      join(folder, trainModels.scriptName),
      join(folder, 'users.json'),
      String(leastAtRisk),
    ]);
    return z.array(survivalPointSchema).parse(JSON.parse(stdout));
  }

  it('are those of lifelines with entry times, and so are their intervals', { timeout: 60_000 }, async () => {
    const points = await curveOf(fixture.users, 0);
    expect(points.map(({ day }) => day)).toEqual(fixture.curve.map(([day]) => day));
    points.forEach(({ survival, low, high }, index) => {
      const [, share, least, most] = fixture.curve[index] ?? [];
      expect(survival).toBeCloseTo(share ?? Number.NaN, 8);
      expect(low).toBeCloseTo(least ?? Number.NaN, 6);
      expect(high).toBeCloseTo(most ?? Number.NaN, 6);
    });
  });

  it('begin where enough users are at risk, and count nobody before the first event', {
    timeout: 60_000,
  }, async () => {
    const late: readonly User[] = Array.from({ length: LEAST_AT_RISK }, (_, index) => [
      5,
      20,
      index === 0 ? 1 : 0,
    ]);
    const points = await curveOf([[0, 3, 1], ...late], LEAST_AT_RISK);
    expect(points).toHaveLength(1);
    expect(points[0]).toMatchObject({ day: 20, atRisk: LEAST_AT_RISK, cancelled: 1, survival: 0.9 });
  });
});
