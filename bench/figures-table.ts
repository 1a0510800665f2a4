/** The results of a benchmark as a table. */
import { count } from '../bin/terminal/words.ts';
import type { StateTime } from '../local/run/timeline.ts';
import type { Measurement } from './measure.ts';

type Figures = Omit<Measurement, 'output'>;

export interface BenchRun extends Figures {
  /** Rows that the run ingested. */
  readonly rows: number;
  readonly states: readonly StateTime[];
  readonly ingestCpuSeconds: number;
}

export interface BenchResult {
  readonly log: string;
  /** Size of the files of the whole run, which does not have the last day. */
  readonly bytes: number;
  /** DuckDB doing ingest's job on the files of the whole run: the mean of a measurement before and one after it. */
  readonly duckdb: Figures;
  readonly whole: BenchRun;
  /** The run that adds the last day. */
  readonly added: BenchRun;
}

const INGEST = 'IngestEvents';

/** One block per log: the measurements, then the seconds of each state. */
export function table(results: readonly BenchResult[]): string {
  return results.map(block).join('\n');
}

function block({ log, bytes, duckdb, whole, added }: BenchResult): string {
  const ingest = secondsOf(whole, INGEST);
  const columns = [
    ['', 'DuckDB', 'ingest', 'whole run', 'one more day'],
    [
      'seconds',
      seconds(duckdb.wallSeconds),
      seconds(ingest),
      seconds(whole.wallSeconds),
      seconds(added.wallSeconds),
    ],
    [
      'CPU seconds',
      seconds(duckdb.cpuSeconds),
      seconds(whole.ingestCpuSeconds),
      seconds(whole.cpuSeconds),
      seconds(added.cpuSeconds),
    ],
    [
      'times DuckDB',
      '1.0',
      ratio(ingest, duckdb.wallSeconds),
      ratio(whole.wallSeconds, duckdb.wallSeconds),
      ratio(added.wallSeconds, duckdb.wallSeconds),
    ],
    [
      'rows/s',
      rate(whole.rows, duckdb.wallSeconds),
      rate(whole.rows, ingest),
      rate(whole.rows, whole.wallSeconds),
      rate(added.rows, added.wallSeconds),
    ],
    [
      'MB/s',
      rate(bytes / 1e6, duckdb.wallSeconds),
      rate(bytes / 1e6, ingest),
      rate(bytes / 1e6, whole.wallSeconds),
      '',
    ],
    ['peak memory, MB', megabytes(duckdb), '', megabytes(whole), megabytes(added)],
    ...whole.states.map(({ name, seconds: taken }) => [
      name,
      '',
      name === INGEST ? seconds(taken) : '',
      seconds(taken),
      seconds(secondsOf(added, name)),
    ]),
  ];
  const widths = (columns[0] ?? []).map((_, index) =>
    Math.max(...columns.map((row) => (row[index] ?? '').length)),
  );
  const lines = columns.map((row) =>
    row
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  '),
  );
  return `${log}: ${count(whole.rows)} rows, ${count(Math.round(bytes / 1e6))} MB\n${lines.join('\n')}\n`;
}

function secondsOf(run: BenchRun, state: string): number {
  return run.states.filter(({ name }) => name === state).reduce((sum, each) => sum + each.seconds, 0);
}

const seconds = (value: number): string => value.toFixed(1);
const ratio = (value: number, of: number): string => (value / of).toFixed(1);
const rate = (amount: number, taken: number): string => count(Math.round(amount / taken));
const megabytes = ({ peakBytes }: Figures): string => count(Math.round(peakBytes / 1e6));
