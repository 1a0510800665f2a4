/** On which days users leave and at which hours they are there, on real Spark, beside a walk through every event of every user. */
import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { HAZARD_VARIABLES } from '../../domain/hazards.ts';
import { USER_DAYS } from '../../domain/lake.ts';
import { exploredFigureSchema, hazardSchema } from '../../domain/results.ts';
import { trainModels } from '../../emr-steps/train-models.ts';
import { referenceOutput } from '../support/reference.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./hazards_reference.py', import.meta.url);
const COLUMNS = USER_DAYS.columns.map(({ name, type }) => `${name} ${type}`).join(', ');

const shares = z.array(z.number()).length(24);
const outputSchema = z.strictObject({
  stated: z.array(hazardSchema),
  walked: z.array(hazardSchema),
  hours: z.array(exploredFigureSchema),
  used: z.strictObject({ churned: shares, stayed: shares }),
});

it('counts days at risk, cancellations and hours of use as a walk through all events does, of users who return too', async () => {
  const folder = await temporaryFolder();
  try {
    const printed = await referenceOutput(folder, REFERENCE, [trainModels], [COLUMNS]);
    const { stated, walked, hours, used } = outputSchema.parse(printed);
    const named = HAZARD_VARIABLES.flatMap(({ name, values }) => values.map((value) => [name, value]));
    expect(new Set(stated.map(({ variable, value }) => `${variable} ${value}`))).toEqual(
      new Set(named.map((one) => one.join(' '))),
    );
    const inOrder = (parts: typeof stated) =>
      parts.toSorted((a, b) => (`${a.variable} ${a.value}` < `${b.variable} ${b.value}` ? -1 : 1));
    expect(inOrder(stated)).toEqual(inOrder(walked));
    expect(hours.map(({ name }) => name)).toEqual(used.churned.map((_, hour) => String(hour)));
    for (const [hour, { churned, stayed }] of hours.entries()) {
      expect(churned).toBeCloseTo(used.churned[hour] ?? Number.NaN, 8);
      expect(stayed).toBeCloseTo(used.stayed[hour] ?? Number.NaN, 8);
    }
    expect(Math.min(...walked.map(({ cancelled }) => cancelled))).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
