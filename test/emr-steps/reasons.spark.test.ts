/** Reasons on real Spark: those that brute force finds, for every kind of model, in words made from the catalogue. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { csvCell } from '../../domain/csv.ts';
import { comparisonText, reasonsSchema } from '../../domain/features/reason-words.ts';
import { CANDIDATES } from '../../domain/models.ts';
import { scoreUsers } from '../../emr-steps/score-users.ts';
import { referenceOutput } from '../support/reference.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./reasons_reference.py', import.meta.url);
const KINDS = CANDIDATES.map(({ name }) => name);
const REASONED = 40;

const expectedSchema = z.strictObject({
  feature: z.string(),
  value: z.number().nullable(),
  typical: z.number().nullable(),
  change: z.number(),
});
const userSchema = z.strictObject({
  rank: z.number(),
  /** Of the 40 users of the highest score. */
  reasons: z.array(z.string()).nullable(),
  details: reasonsSchema.nullable(),
  expected: z.array(expectedSchema),
});
const kindSchema = z.strictObject({
  counted: z.array(z.strictObject({ rows: z.number(), users: z.number() })),
  users: z.array(userSchema),
});
const foundSchema = z.strictObject({
  kinds: z.record(z.string(), kindSchema),
  /** Reasons by segments and trees, where the log's first day was 30 days earlier. */
  later: z.array(z.array(z.string()).nullable()),
  /** Texts, each with the cell that the step writes. */
  cells: z.array(z.tuple([z.string(), z.string()])),
});

describe('reasons', () => {
  let folder: string;
  let found: z.infer<typeof foundSchema>;
  const usersOf = (kind: string): readonly z.infer<typeof userSchema>[] => found.kinds[kind]?.users ?? [];

  beforeAll(async () => {
    folder = await temporaryFolder();
    const printed = await referenceOutput(folder, REFERENCE, [scoreUsers]);
    found = foundSchema.parse(printed);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(KINDS)('of %s are what brute force finds: feature, value, typical value and rise', (kind) => {
    const users = usersOf(kind).filter(({ rank }) => rank <= REASONED);
    expect(users.some(({ expected }) => expected.length === 3)).toBe(true);
    for (const { details, expected, rank } of users) {
      const stated = details?.map(({ feature, value, typical }) => ({ feature, value, typical }));
      const wanted = expected.map(({ feature, value, typical }) => ({ feature, value, typical }));
      expect(stated, `${kind} ${rank}`).toEqual(wanted);
      details?.forEach(({ change }, index) => {
        expect(change, `${kind} ${rank}`).toBeCloseTo(expected[index]?.change ?? 0, 5);
      });
    }
  });

  it('do not change when the log is observed 30 days longer', () => {
    expect(found.later).toEqual(usersOf('segments_and_trees').map(({ reasons }) => reasons));
  });

  it.each(KINDS)('by %s are asked of those most at risk alone: all others are scored once', (kind) => {
    for (const { rank, reasons, details } of usersOf(kind)) {
      expect(reasons === null, `${kind} ${rank}`).toBe(rank > REASONED);
      expect(details === null, `${kind} ${rank}`).toBe(rank > REASONED);
    }
    const [all, variants] = found.kinds[kind]?.counted ?? [];
    expect(all).toEqual({ rows: usersOf(kind).length, users: usersOf(kind).length });
    expect(variants?.users).toBeLessThanOrEqual(REASONED);
    expect(variants?.rows).toBeLessThanOrEqual(REASONED * 17);
  });

  it('are at most one of a group, and say whether the value is above or below', () => {
    const reasons = KINDS.flatMap((kind) => usersOf(kind).map(({ details }) => details ?? []));
    for (const stated of reasons) {
      expect(new Set(stated.map(({ group }) => group)).size).toBe(stated.length);
      for (const { value, typical, direction, feature, text } of stated) {
        // The command line says it in the same words.
        expect(text).toBe(comparisonText(feature, value, typical));
        const above = value === null || typical === null ? null : value > typical ? 'above' : 'below';
        expect(direction).toBe(above);
      }
    }
  });

  it('are written to cells of a CSV file as TypeScript writes them', () => {
    expect(found.cells).toHaveLength(11);
    for (const [text, cell] of found.cells) expect(cell).toBe(csvCell(text));
  });

  it('read as sentences', () => {
    const texts = KINDS.flatMap((kind) => usersOf(kind).flatMap(({ reasons }) => reasons ?? []));
    expect(texts).toContain('1 visit to Downgrade in 7 days, typically 0');
    expect(texts).toContain('3 visits to Downgrade in 7 days, typically 0');
    expect(texts.some((text) => /^\d+(\.\d+)? days since registration, typically \d/.test(text))).toBe(true);
    expect(
      texts.some((text) => /^0\.0\d+ thumbs down per song in 28 days, typically 0\.0\d+$/.test(text)),
    ).toBe(true);
    expect(texts.some((text) => /^0(\.\d+)? adverts per paid song, typically 0\.0\d+$/.test(text))).toBe(
      true,
    );
    expect(texts.filter((text) => /NaN|null|\(s\)|undefined/.test(text))).toEqual([]);
  });
});
