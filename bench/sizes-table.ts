/** What a benchmark of sizes has measured, as tables. */
import { count } from '../bin/terminal/words.ts';
import type { Figures, RunFigures, StateFigures } from './measured-states.ts';
import type { OneMachine } from './one-machine.ts';
import type { Shares } from './shares.ts';
import { growth } from './statistics.ts';
import { megabytes, percent, ratio, seconds, textTable } from './text-table.ts';
import { ACTIVITIES } from './thread-dump.ts';

export interface BenchResult {
  readonly log: string;
  /** Size of the files of the whole run, which does not have the last day. */
  readonly bytes: number;
  /** DuckDB doing ingest's job on the files of the whole run: the mean of a measurement before and one after it. */
  readonly duckdb: Figures;
  /** DuckDB, scikit-learn and XGBoost doing the whole job on them. */
  readonly oneMachine: OneMachine;
  readonly whole: RunFigures;
  /** The run that adds the last day. */
  readonly added: RunFigures;
  /** Processes that wanted to run during the last minute, at the beginning and at the end. */
  readonly load: readonly number[];
}

/** A block for each log, and how the costs grow from each to the next. */
export function sizesText(results: readonly BenchResult[]): string {
  const blocks = results.map(block);
  return [...blocks, ...(results.length > 1 ? [growthText(results)] : [])].join('\n\n');
}

function block(result: BenchResult): string {
  const { log, bytes, whole, added, load } = result;
  return [
    `${log}: ${count(whole.rows)} rows, ${megabytes(bytes)} MB; load of the machine ${load.map((each) => each.toFixed(1)).join(' to ')}`,
    textTable(comparison(result)),
    '',
    `whole run, by state`,
    textTable(byState(whole.states)),
    '',
    `one more day, by state (${added.hasTrained ? 'models were trained' : 'nothing was trained'})`,
    textTable(byState(added.states)),
  ].join('\n');
}

function comparison({
  bytes,
  duckdb,
  oneMachine,
  whole,
  added,
}: BenchResult): readonly (readonly string[])[] {
  const ingest = whole.states.find(({ name }) => name === 'IngestEvents');
  const ingestWall = ingest?.wallSeconds ?? 0;
  const rate = (wall: number): string => count(Math.round(bytes / 1e6 / wall));
  return [
    ['', 'DuckDB, ingest', 'ingest', 'DuckDB + sklearn + XGBoost', 'whole run', 'one more day'],
    [
      'CPU seconds',
      ...[duckdb.cpuSeconds, whole.ingestCpuSeconds, oneMachine.cpuSeconds].map(seconds),
      ...[whole.cpuSeconds, added.cpuSeconds].map(seconds),
    ],
    [
      "times DuckDB's CPU",
      '1.00',
      ratio(whole.ingestCpuSeconds, duckdb.cpuSeconds),
      ratio(oneMachine.cpuSeconds, duckdb.cpuSeconds),
      ratio(whole.cpuSeconds, duckdb.cpuSeconds),
      ratio(added.cpuSeconds, duckdb.cpuSeconds),
    ],
    [
      'seconds',
      ...[duckdb.wallSeconds, ingestWall, oneMachine.wallSeconds].map(seconds),
      ...[whole.wallSeconds, added.wallSeconds].map(seconds),
    ],
    [
      'peak memory, MB',
      megabytes(duckdb.peakBytes),
      megabytes(ingest?.peakBytes ?? 0),
      ...[oneMachine, whole, added].map(({ peakBytes }) => megabytes(peakBytes)),
    ],
    [
      'MB/s',
      rate(duckdb.wallSeconds),
      rate(ingestWall),
      rate(oneMachine.wallSeconds),
      rate(whole.wallSeconds),
    ],
    ['AUC on the test users', '', '', oneMachine.found.auc.toFixed(3), whole.auc?.toFixed(3) ?? '', ''],
    ['users scored', '', '', ...[oneMachine.found, whole, added].map(({ scored }) => count(scored))],
  ];
}

const SHARES: readonly (keyof Shares)[] = [
  ...ACTIVITIES.filter((activity) => activity !== 'working'),
  'python',
  'rest',
];

/** Seconds, memory and shares of each state that took a tenth of a second of CPU; then of all. */
export function byState(states: readonly StateFigures[]): readonly (readonly string[])[] {
  const shown = states.filter(({ cpuSeconds }) => cpuSeconds >= 0.1);
  const sampled = shown.flatMap(({ shares }) => shares ?? []);
  const sum = (of: (state: StateFigures) => number): number =>
    states.reduce((total, each) => total + of(each), 0);
  const shareOfAll = (name: keyof Shares): string =>
    percent(
      sampled.reduce((total, shares) => total + shares[name], 0),
      sum(({ shares, cpuSeconds }) => (shares === undefined ? 0 : cpuSeconds)),
    );
  return [
    ['', 'seconds', 'CPU s', 'MB', ...SHARES],
    ...shown.map(({ name, wallSeconds, cpuSeconds, peakBytes, shares }) => [
      name,
      seconds(wallSeconds),
      seconds(cpuSeconds),
      megabytes(peakBytes),
      ...(shares === undefined ? [] : SHARES.map((share) => percent(shares[share], cpuSeconds))),
    ]),
    [
      'all states',
      seconds(sum(({ wallSeconds }) => wallSeconds)),
      seconds(sum(({ cpuSeconds }) => cpuSeconds)),
      megabytes(Math.max(0, ...states.map(({ peakBytes }) => peakBytes))),
      ...(sampled.length === 0 ? [] : SHARES.map(shareOfAll)),
    ],
  ];
}

function growthText(results: readonly BenchResult[]): string {
  const pairs = results.slice(1).flatMap((large, index) => {
    const small = results[index];
    return small === undefined ? [] : [{ small, large }];
  });
  const states = results[0]?.whole.states.map(({ name }) => name) ?? [];
  const costs: readonly (readonly [string, (result: BenchResult) => number])[] = [
    ['DuckDB, ingest', ({ duckdb }) => duckdb.cpuSeconds],
    ['DuckDB + sklearn + XGBoost', ({ oneMachine }) => oneMachine.cpuSeconds],
    ['whole run', ({ whole }) => whole.cpuSeconds],
    ['one more day', ({ added }) => added.cpuSeconds],
    ...states.map((state) => [state, (result: BenchResult) => cpuOf(result, state)] as const),
  ];
  const rows = costs.map(([name, costOf]) => [
    name,
    ...pairs.map(({ small, large }) => {
      const sized = (result: BenchResult) => ({ size: result.whole.rows, cost: costOf(result) });
      return growth(sized(small), sized(large))?.toFixed(2) ?? '';
    }),
  ]);
  const heads = pairs.map(({ small, large }) => `${small.log} to ${large.log}`);
  return `CPU grows with this power of the rows (1: in proportion)\n${textTable([['', ...heads], ...rows])}`;
}

function cpuOf({ whole }: BenchResult, state: string): number {
  return whole.states
    .filter(({ name }) => name === state)
    .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}
