/** Judges a regression: costs of this revision and of another as multiples of DuckDB's CPU in the same pair. */
import { median } from './statistics.ts';
import { textTable } from './text-table.ts';

/** What is compared. */
export const COSTS = ['ingest', 'whole run', 'one more day'] as const;
export type Cost = (typeof COSTS)[number];

/** CPU seconds, and DuckDB's, as the mean of a measurement before and one after. */
export interface Costs {
  readonly duckdb: number;
  readonly cpu: Readonly<Record<Cost, number>>;
}

/** One measurement of each revision, close to each other in time. */
export interface Pair {
  readonly here: Costs;
  readonly there: Costs;
}

export interface Judgement {
  readonly cost: Cost;
  /** Medians of the multiples of DuckDB's CPU. */
  readonly here: number;
  readonly there: number;
  /** Median of the quotients of each pair. */
  readonly quotient: number;
  readonly isRegression: boolean;
}

/** @param most the quotient from which on this revision is worse */
export function judge(pairs: readonly Pair[], most: number): readonly Judgement[] {
  return COSTS.map((cost) => {
    const multiple = ({ cpu, duckdb }: Costs): number => cpu[cost] / duckdb;
    const quotient = median(pairs.map(({ here, there }) => multiple(here) / multiple(there)));
    return {
      cost,
      here: median(pairs.map(({ here }) => multiple(here))),
      there: median(pairs.map(({ there }) => multiple(there))),
      quotient,
      isRegression: quotient > most,
    };
  });
}

export function judgementText(pairs: readonly Pair[], revision: string, most: number): string {
  const rows = judge(pairs, most).map(({ cost, here, there, quotient, isRegression }) => [
    cost,
    here.toFixed(2),
    there.toFixed(2),
    quotient.toFixed(3),
    isRegression ? 'worse' : '',
  ]);
  return [
    `Times DuckDB's CPU for ingest's job, medians of ${pairs.length} pairs; worse means a quotient above ${most}`,
    textTable([['', 'here', revision, 'quotient', ''], ...rows]),
  ].join('\n');
}
