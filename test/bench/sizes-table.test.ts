import { expect, test } from 'vitest';
import type { RunFigures } from '../../bench/measured-states.ts';
import { type BenchResult, byState, sizesText } from '../../bench/sizes-table.ts';

const SHARES = {
  starting: 2,
  compiling: 1,
  garbage: 1,
  planning: 1,
  scheduling: 0,
  parsing: 3,
  shuffling: 1,
  python: 0,
  rest: 1,
};
const STATES: RunFigures['states'] = [
  { name: 'PlanRun', wallSeconds: 1, cpuSeconds: 0.4, peakBytes: 2e8, shares: undefined },
  { name: 'CreateCluster', wallSeconds: 0.1, cpuSeconds: 0.04, peakBytes: 0, shares: undefined },
  { name: 'IngestEvents', wallSeconds: 8, cpuSeconds: 10, peakBytes: 15e8, shares: SHARES },
];

/** A result of so many rows, whose costs grow by the power 0.5, DuckDB's by 1. */
function result(log: string, rows: number): BenchResult {
  const run: RunFigures = {
    wallSeconds: 20,
    cpuSeconds: Math.sqrt(rows),
    peakBytes: 15e8,
    rows,
    auc: 0.7654,
    scored: 90,
    ingestCpuSeconds: 10,
    hasTrained: true,
    states: STATES.map((state) => ({ ...state, cpuSeconds: state.cpuSeconds * Math.sqrt(rows / 10_000) })),
  };
  const duckdb = { wallSeconds: 2, cpuSeconds: rows / 2_500, peakBytes: 3e8 };
  const found = { model: 'XGBoost, depth 3', trainingRows: 9, auc: 0.7123, scored: 91, parts: {} };
  return {
    log,
    bytes: 74e6,
    duckdb,
    oneMachine: { wallSeconds: 9, cpuSeconds: 12, peakBytes: 4e8, found },
    whole: run,
    added: { ...run, rows: 100, hasTrained: false },
    load: [0.5, 2.25],
  };
}

test('a log is shown side by side with DuckDB and with what one machine would do', () => {
  const text = sizesText([result('small', 10_000)]);
  expect(text).toContain('small: 10,000 rows, 74 MB; load of the machine 0.5 to 2.3');
  expect(text).toMatch(/\nCPU seconds +4\.0 +10\.0 +12\.0 +100\.0 +100\.0\n/);
  expect(text).toMatch(/\ntimes DuckDB's CPU +1\.00 +2\.50 +3\.00 +25\.00 +25\.00\n/);
  expect(text).toMatch(/\nAUC on the test users +0\.712 +0\.765\n/);
  expect(text).toContain('one more day, by state (nothing was trained)');
  expect(text).not.toContain('grows');
});

test('a state has its shares, and all states together have theirs', () => {
  const rows = byState(STATES);
  expect(rows.map(([name]) => name)).toEqual(['', 'PlanRun', 'IngestEvents', 'all states']);
  expect(rows[2]).toEqual([
    ...['IngestEvents', '8.0', '10.0', '1,500'],
    ...['20 %', '10 %', '10 %', '10 %', '0 %', '30 %', '10 %', '0 %', '10 %'],
  ]);
  expect(rows[1]).toEqual(['PlanRun', '1.0', '0.4', '200']);
  expect(rows[3]?.slice(0, 4)).toEqual(['all states', '9.1', '10.4', '1,500']);
});

test('growth is shown from each size to the next', () => {
  const text = sizesText([result('a', 10_000), result('b', 1_000_000), result('c', 4_000_000)]);
  const lines = text.slice(text.indexOf('CPU grows')).split('\n');
  expect(lines[1]).toMatch(/^ +a to b +b to c$/);
  expect(lines.find((line) => line.startsWith('DuckDB, ingest'))).toMatch(/1\.00 +1\.00$/);
  expect(lines.find((line) => line.startsWith('whole run'))).toMatch(/0\.50 +0\.50$/);
  expect(lines.find((line) => line.startsWith('IngestEvents'))).toMatch(/0\.50 +0\.50$/);
});
