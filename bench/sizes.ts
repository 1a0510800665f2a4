/** Measures logs of several sizes: DuckDB, what a user with one machine would pick, a whole run, and one more day. */
import { createReadStream, statSync } from 'node:fs';
import { link, mkdir, rm, symlink } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { projectRoot } from '../setup/environment.mjs';
import type { BenchLog } from './logs.ts';
import { measure } from './measure.ts';
import { type Figures, measureRun } from './measured-states.ts';
import { oneMachineJob } from './one-machine.ts';
import type { BenchResult } from './sizes-table.ts';

/** Measures a run on all days but the last, then a run that adds the last day. */
export async function benchLog(log: BenchLog, work: string): Promise<BenchResult> {
  await rm(work, { recursive: true, force: true });
  const events = join(work, 'events');
  const lake = join(work, 'lake');
  const last = log.files.at(-1) ?? '';
  await addFiles(log, log.files.slice(0, -1), events);
  // Read once, so that the first job does not wait for the disk.
  for (const file of log.files) await finished(createReadStream(join(log.folder, file)).resume());
  const loadBefore = loadNow();
  // Before and after, because the machine's own speed drifts by a tenth within minutes.
  console.error(`${log.name}: DuckDB`);
  const before = await duckdbJob(events, join(work, 'duckdb-before'));
  console.error(`${log.name}: whole run`);
  const whole = await measureRun(events, lake);
  console.error(`${log.name}: DuckDB, scikit-learn and XGBoost`);
  const after = await duckdbJob(events, join(work, 'duckdb-after'));
  const oneMachine = await oneMachineJob(events, join(work, 'one-machine'));
  console.error(`${log.name}: run that adds the last day`);
  await addFiles(log, [last], events);
  const added = await measureRun(events, lake);
  await rm(work, { recursive: true, force: true });
  return {
    log: log.name,
    bytes: log.bytes - statSync(join(log.folder, last)).size,
    duckdb: meanOf(before, after),
    oneMachine,
    whole,
    added,
    load: [loadBefore, loadNow()],
  };
}

/** DuckDB doing ingest's job on the event files in a folder. */
export async function duckdbJob(events: string, outputFolder: string): Promise<Figures> {
  const job = join(projectRoot, 'bench', 'duckdb-job.ts');
  const { wallSeconds, cpuSeconds, peakBytes } = await measure([
    ...[process.execPath, job, join(events, '*.json'), outputFolder],
  ]);
  await rm(outputFolder, { recursive: true, force: true });
  return { wallSeconds, cpuSeconds, peakBytes };
}

/** Links files of a log into a folder. */
export async function addFiles(log: BenchLog, files: readonly string[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    const [source, target] = [join(log.folder, file), join(folder, file)];
    await link(source, target).catch(() => symlink(source, target));
  }
}

/** The mean of two measurements of the same job; for memory, the larger. */
function meanOf(one: Figures, other: Figures): Figures {
  return {
    wallSeconds: (one.wallSeconds + other.wallSeconds) / 2,
    cpuSeconds: (one.cpuSeconds + other.cpuSeconds) / 2,
    peakBytes: Math.max(one.peakBytes, other.peakBytes),
  };
}

export function loadNow(): number {
  return loadavg()[0] ?? 0;
}
