/**
 * `npm run bench`: what runs cost on this machine, side by side with DuckDB on the same files. `--days` measures a run a
 * day, `--against` compares with another revision. The history is in .churn/bench, which git ignores.
 */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../bin/commands/arguments.ts';
import { projectRoot } from '../setup/environment.mjs';
import { measuredPairs } from './against.ts';
import { dailyRuns } from './days.ts';
import { type DayFigures, daysText } from './days-table.ts';
import { generatedLog, ownLog } from './logs.ts';
import { judge, judgementText, type Pair } from './pairs.ts';
import { benchLog, loadNow } from './sizes.ts';
import { type BenchResult, sizesText } from './sizes-table.ts';

const CACHE = join(projectRoot, '.churn', 'bench');
const LOGS = join(CACHE, 'logs');
const WORK = join(CACHE, 'work');
/** Users of the generated logs: 74 MB, 1.3 GB, and with --full 10.9 GB. */
const SIZES = [140, 2_500] as const;
const FULL_SIZE = 20_000;
const DAILY_RUNS = 60;
const PAIRS = 5;
/** How many times as much as at the other revision is a regression. */
const MOST = 1.05;

interface BenchOptions {
  readonly full: boolean;
  readonly users?: readonly number[];
  readonly events?: string;
  readonly days?: number | true;
  readonly against?: string;
  readonly pairs: number;
}

const atLeastAHundred = wholeNumber(100, 1_000_000);

const options = new Command('bench')
  .description('Measure runs side by side with DuckDB on the same files.')
  .option('--full', `the log of ${FULL_SIZE} users (about 11 GB) too`, false)
  .option(
    '--users <numbers>',
    `generated logs of so many users each, with commas between, instead of ${SIZES.join(',')}`,
    (text) => text.split(',').map(atLeastAHundred),
  )
  .option('--events <folder>', 'measure the event files in this folder instead, one .json file a day')
  .option(
    '--days [number]',
    `a run a day on a small log, ${DAILY_RUNS} days unless you say how many`,
    wholeNumber(2, 1_000),
  )
  .option('--against <revision>', `compare with another revision, on ${SIZES[1]} users; fails when worse`)
  .option('--pairs <number>', 'measurements of each revision', wholeNumber(1, 100), PAIRS)
  .parse()
  .opts<BenchOptions>();

if (options.days !== undefined) await benchDays(options.days === true ? DAILY_RUNS : options.days);
else if (options.against !== undefined) await benchAgainst(options.against);
else await benchSizes();

async function benchSizes(): Promise<void> {
  const results: BenchResult[] = [];
  for await (const log of chosenLogs()) {
    const result = await benchLog(log, join(WORK, log.name));
    results.push(result);
    await keep('sizes', result);
  }
  console.log(sizesText(results));
}

async function* chosenLogs() {
  const sizes = options.users ?? [...SIZES, ...(options.full ? [FULL_SIZE] : [])];
  if (options.events !== undefined) yield await ownLog(options.events);
  else for (const users of sizes) yield await generatedLog(LOGS, users);
}

async function benchDays(days: number): Promise<void> {
  const [users] = options.users ?? [];
  const figures: DayFigures[] = [];
  const work = join(WORK, 'days');
  for await (const each of dailyRuns({ days, logs: LOGS, work, ...(users === undefined ? {} : { users }) })) {
    console.error(
      `day ${each.day} of ${days}: ${each.cpuSeconds.toFixed(1)} CPU s, load ${loadNow().toFixed(1)}`,
    );
    figures.push(each);
    await keep('days', each);
  }
  console.log(daysText(figures));
}

async function benchAgainst(revision: string): Promise<void> {
  const { events, users = [SIZES[1]] } = options;
  const log = events === undefined ? await generatedLog(LOGS, users[0] ?? SIZES[1]) : await ownLog(events);
  const pairs: Pair[] = [];
  const work = join(WORK, 'against');
  for await (const pair of measuredPairs({ revision, log, pairs: options.pairs, work })) {
    pairs.push(pair);
    await keep('pair', { revision, log: log.name, ...pair });
  }
  console.log(judgementText(pairs, revision, MOST));
  if (judge(pairs, MOST).some(({ isRegression }) => isRegression)) process.exitCode = 1;
}

async function keep(kind: string, result: object): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const line = JSON.stringify({ at: new Date().toISOString(), kind, ...result });
  await appendFile(join(CACHE, 'history.jsonl'), `${line}\n`);
}
