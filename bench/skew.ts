/**
 * `npm run bench:skew`: a whole run on a log of which one user has half of all events, beside the same rows without skew.
 * `-- <users>` sets the size of the log.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runSummarySchema } from '../local/run/run-summary.ts';
import { projectRoot } from '../setup/environment.mjs';
import { churnRun } from './churn-run.ts';
import { generatedLog } from './logs.ts';

/** Most that the skewed log may take, as a multiple of the other's time. */
const MOST = 2;
const MEGA_USER = '"userId":"999999999"';

const folder = join(projectRoot, '.churn', 'bench');
const log = await generatedLog(join(folder, 'logs'), Number(process.argv[2] ?? 2_500));
const skewed = join(folder, `${log.name}-skewed`);

/** Every second event of the log becomes one of the same user. */
async function skew(): Promise<void> {
  await rm(skewed, { recursive: true, force: true });
  await mkdir(skewed, { recursive: true });
  for (const name of await readdir(log.folder)) {
    const lines = (await readFile(join(log.folder, name), 'utf8')).split('\n');
    const changed = lines.map((line, index) =>
      index % 2 === 0 && !line.includes('Cancel') ? line.replace(/"userId":"\d+"/, MEGA_USER) : line,
    );
    await writeFile(join(skewed, name), changed.join('\n'));
  }
}

async function run(events: string) {
  const lake = join(folder, 'skew-lake');
  await rm(lake, { recursive: true, force: true });
  const { cpuSeconds, output } = await churnRun({ events, lake });
  await rm(lake, { recursive: true, force: true });
  const { states } = runSummarySchema.parse(JSON.parse(output));
  return { cpuSeconds, seconds: new Map(states.map(({ name, seconds }) => [name, seconds])) };
}

await skew();
const [even, uneven] = [await run(log.folder), await run(skewed)];
const row = (name: string, before: number, after: number): string =>
  `${name.padEnd(16)}${before.toFixed(1).padStart(10)}${after.toFixed(1).padStart(10)}${(after / before).toFixed(2).padStart(8)}`;
const total = (of: typeof even): number => [...of.seconds.values()].reduce((sum, each) => sum + each, 0);
console.log(
  `${'state'.padEnd(16)}${'even, s'.padStart(10)}${'skewed, s'.padStart(10)}${'ratio'.padStart(8)}`,
);
for (const [name, seconds] of even.seconds)
  if (seconds >= 1) console.log(row(name, seconds, uneven.seconds.get(name) ?? 0));
console.log(row('all states', total(even), total(uneven)));
console.log(row('CPU', even.cpuSeconds, uneven.cpuSeconds));
if (total(uneven) > MOST * total(even)) {
  console.error(`The skewed log takes more than ${MOST} times as long.`);
  process.exitCode = 1;
}
