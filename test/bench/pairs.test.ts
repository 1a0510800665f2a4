import { expect, test } from 'vitest';
import { type Costs, judge, judgementText, type Pair } from '../../bench/pairs.ts';

/** Costs of a revision on a machine on which DuckDB needs so much. */
function costs(duckdb: number, ingest: number, whole: number, more: number): Costs {
  return {
    duckdb,
    cpu: { ingest: ingest * duckdb, 'whole run': whole * duckdb, 'one more day': more * duckdb },
  };
}

/** The machine's speed differs from pair to pair; one of the five is far off. */
const PAIRS: readonly Pair[] = [
  { here: costs(10, 3.3, 20, 5), there: costs(10, 3, 20, 10) },
  { here: costs(20, 3.3, 20.4, 5), there: costs(30, 3, 20, 10) },
  { here: costs(5, 3.3, 60, 5), there: costs(10, 3, 20, 10) },
  { here: costs(10, 3.3, 19.8, 5), there: costs(12, 3, 20, 10) },
  { here: costs(10, 3.3, 20, 5), there: costs(10, 3, 20, 10) },
];

test("costs are compared as multiples of DuckDB's in the same pair, by the median", () => {
  const [ingest, whole, more] = judge(PAIRS, 1.05);
  expect(ingest?.quotient).toBeCloseTo(1.1);
  expect(ingest?.isRegression).toBe(true);
  expect(whole?.quotient).toBeCloseTo(1);
  expect(whole?.isRegression).toBe(false);
  expect(more?.quotient).toBeCloseTo(0.5);
  expect(more?.here).toBeCloseTo(5);
  expect(more?.there).toBeCloseTo(10);
});

test('what is worse is marked', () => {
  const lines = judgementText(PAIRS, 'v1.2', 1.05).split('\n');
  expect(lines[0]).toContain('medians of 5 pairs');
  expect(lines[2]).toMatch(/^ingest +3\.30 +3\.00 +1\.100 +worse$/);
  expect(lines[4]).toMatch(/^one more day +5\.00 +10\.00 +0\.500$/);
});
