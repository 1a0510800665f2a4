/** The living users by segment: those of numpy, and who has moved since an earlier snapshot of their features. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { livingSegmentsSchema, segmentMoveSchema } from '../../domain/results.ts';
import { scoreUsers } from '../../emr-steps/score-users.ts';
import { referenceOutput } from '../support/reference.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./living_segments_reference.py', import.meta.url);

const outputSchema = z.strictObject({
  alone: livingSegmentsSchema,
  both: livingSegmentsSchema,
  users: z.array(z.number()),
  expected: z.array(z.number()),
  moves: z.array(segmentMoveSchema),
});

describe('the living users by segment', () => {
  let folder: string;
  let output: z.infer<typeof outputSchema>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const printed = await referenceOutput(folder, REFERENCE, [scoreUsers]);
    output = outputSchema.parse(printed);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are counted, and those who are expected to cancel, as numpy assigns them', () => {
    const { both, users, expected } = output;
    expect(users.filter((count) => count > 0).length).toBeGreaterThan(1);
    expect(both.segments.map((segment) => segment.users)).toEqual(users);
    both.segments.forEach((segment, place) => {
      expect(segment.expected).toBeCloseTo(expected[place] ?? Number.NaN, 9);
      expect(segment.rates).toHaveLength(6);
    });
  });

  it('have moved since the newest earlier cutoff, by the same model then and now', () => {
    expect(output.both.moved?.since).toBe('2018-11-26');
    expect(output.both.moved?.moves).toEqual(output.moves);
    expect(output.moves.some(({ before, now }) => before !== now)).toBe(true);
    // Of 140 users, ten have joined since.
    expect(output.moves.reduce((sum, { users }) => sum + users, 0)).toBe(130);
  });

  it('have no moves where no earlier users are known, and nothing expected where probabilities are withheld', () => {
    expect(output.alone.moved).toBeNull();
    for (const segment of output.alone.segments)
      expect(segment.expected).toBe(segment.users === 0 ? 0 : null);
    expect(output.alone.segments.map((segment) => segment.users)).toEqual(output.users);
  });
});
