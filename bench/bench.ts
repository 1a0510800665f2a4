/**
 * `npm run bench`: measures runs side by side with DuckDB doing ingest's job on the same files, on the same machine, at
 * the same time. Prints a table; the history is in .churn/bench, which git ignores.
 */

import { createReadStream, readFileSync, statSync } from 'node:fs';
import { appendFile, link, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { Command } from 'commander';
import { wholeNumber } from '../bin/commands/arguments.ts';
import { logFolder } from '../domain/lake-objects.ts';
import { runSummarySchema } from '../local/run/run-summary.ts';
import { projectRoot } from '../setup/environment.mjs';
import { type BenchResult, table } from './figures-table.ts';
import { type BenchLog, generatedLog, ownLog } from './logs.ts';
import { cpuSecondsOf, type Measurement, measure } from './measure.ts';

const CACHE = join(projectRoot, '.churn', 'bench');
/** The sizes of the generated logs: about twice the log of `npm start`, and about 10 GB. */
const DEFAULT_USERS = 1_500;
const LARGE_USERS = 20_000;

interface BenchOptions {
  readonly quick: boolean;
  readonly large: boolean;
  readonly users?: number;
  readonly events?: string;
}

const options = new Command('bench')
  .description('Measure whole runs and their ingest, side by side with DuckDB on the same files.')
  .option('--quick', 'the generated log only, whatever else is asked for', false)
  .option('--large', `a generated log of ${LARGE_USERS} users (about 10 GB) too`, false)
  .option(
    '--users <number>',
    `the generated log has this many users, instead of ${DEFAULT_USERS}`,
    wholeNumber(100, 1_000_000),
  )
  .option('--events <folder>', 'the event files in this folder too, one .json file a day')
  .parse()
  .opts<BenchOptions>();

const results: BenchResult[] = [];
for await (const log of chosenLogs()) results.push(await benchLog(log));
console.log(table(results));
await mkdir(CACHE, { recursive: true });
await appendFile(
  join(CACHE, 'history.jsonl'),
  results.map((result) => `${JSON.stringify({ at: new Date().toISOString(), ...result })}\n`).join(''),
);

async function* chosenLogs(): AsyncGenerator<BenchLog> {
  const logs = join(CACHE, 'logs');
  yield await generatedLog(logs, options.users ?? DEFAULT_USERS);
  if (options.quick) return;
  if (options.events !== undefined) yield await ownLog(options.events);
  if (options.large) yield await generatedLog(logs, LARGE_USERS);
}

/** Measures a run on all days but the last, then a run that adds the last day. */
async function benchLog(log: BenchLog): Promise<BenchResult> {
  const work = join(CACHE, 'work', log.name);
  await rm(work, { recursive: true, force: true });
  const events = join(work, 'events');
  const lake = join(work, 'lake');
  await mkdir(events, { recursive: true });
  const last = log.files.at(-1);
  const lastBytes = last === undefined ? 0 : statSync(join(log.folder, last)).size;
  for (const file of log.files) if (file !== last) await addFile(log, file, events);
  // Read once, so that the first job does not wait for the disk.
  for (const file of log.files) await finished(createReadStream(join(log.folder, file)).resume());
  // Before and after, because the machine's own speed drifts by a tenth within minutes.
  const before = await duckdbJob(log, events, join(work, 'duckdb-before'));
  console.error(`${log.name}: whole run`);
  const whole = await churnRun(events, lake);
  const after = await duckdbJob(log, events, join(work, 'duckdb-after'));
  if (last !== undefined) await addFile(log, last, events);
  console.error(`${log.name}: run that adds the last day`);
  const added = await churnRun(events, lake);
  await rm(work, { recursive: true, force: true });
  return { log: log.name, bytes: log.bytes - lastBytes, duckdb: meanOf(before, after), whole, added };
}

async function duckdbJob(log: BenchLog, events: string, outputFolder: string): Promise<Measurement> {
  console.error(`${log.name}: DuckDB`);
  const job = join(projectRoot, 'bench', 'duckdb-job.ts');
  return await measure([process.execPath, job, join(events, '*.json'), outputFolder]);
}

/** The mean of two measurements of the same job; for memory, the larger. */
function meanOf(one: Measurement, other: Measurement): BenchResult['duckdb'] {
  return {
    wallSeconds: (one.wallSeconds + other.wallSeconds) / 2,
    cpuSeconds: (one.cpuSeconds + other.cpuSeconds) / 2,
    peakBytes: Math.max(one.peakBytes, other.peakBytes),
  };
}

async function addFile(log: BenchLog, file: string, folder: string): Promise<void> {
  const source = join(log.folder, file);
  const target = join(folder, file);
  await link(source, target).catch(() => symlink(source, target));
}

async function churnRun(events: string, lake: string): Promise<BenchResult['whole']> {
  const { output, ...figures }: Measurement = await measure([
    process.execPath,
    join(projectRoot, 'bin', 'churn.ts'),
    'run',
    '--events',
    events,
    '--lake',
    lake,
    '--json',
  ]);
  const summary = runSummarySchema.parse(JSON.parse(output));
  if (summary.status !== 'SUCCEEDED') throw new Error(`the run ended as ${summary.status}:\n${output}`);
  const times = (state: string): string => join(lake, logFolder(summary.runId), `${state}.times`);
  return {
    ...figures,
    rows: summary.counts.read,
    states: summary.states,
    ingestCpuSeconds: cpuSecondsOf(readFileSync(times('IngestEvents'), 'utf8')),
  };
}
