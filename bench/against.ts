/** Measures this revision and another in alternating order, each beside DuckDB. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { logFolder } from '../domain/lake-objects.ts';
import { projectRoot } from '../setup/environment.mjs';
import { churnRun } from './churn-run.ts';
import type { BenchLog } from './logs.ts';
import { cpuSecondsOf } from './measure.ts';
import type { Costs, Pair } from './pairs.ts';
import { addFiles, duckdbJob } from './sizes.ts';

/** What summaries of all revisions have. */
const summarySchema = z.looseObject({ status: z.literal('SUCCEEDED'), runId: z.string() });

export interface AgainstOptions {
  readonly revision: string;
  readonly log: BenchLog;
  readonly pairs: number;
  /** Folder for the other revision and the lakes; emptied. */
  readonly work: string;
}

/**
 * Each pair as soon as it is complete. The other revision is checked out into a worktree, which its own set-up makes
 * complete and which is removed at the end.
 * @throws where git does not know the revision, or a run does not succeed; its lake is kept, with the logs
 */
export async function* measuredPairs({ revision, log, pairs, work }: AgainstOptions): AsyncGenerator<Pair> {
  const other = join(work, 'revision');
  const git = (...command: readonly string[]) => execa('git', command, { cwd: projectRoot });
  await git('worktree', 'remove', '--force', other).catch(() => undefined);
  await rm(work, { recursive: true, force: true });
  await git('worktree', 'add', '--detach', other, revision);
  try {
    console.error(`setting up ${revision}`);
    await execa(process.execPath, [join('setup', 'run.mjs')], { cwd: other });
    for (let pair = 1; pair <= pairs; pair += 1) {
      console.error(`pair ${pair} of ${pairs}`);
      const isHereFirst = pair % 2 === 1;
      const first = await costsOf(isHereFirst ? projectRoot : other, log, join(work, 'data'));
      const second = await costsOf(isHereFirst ? other : projectRoot, log, join(work, 'data'));
      yield isHereFirst ? { here: first, there: second } : { here: second, there: first };
    }
  } finally {
    await git('worktree', 'remove', '--force', other);
  }
}

/** What a run on all days but the last costs at a revision, and a run that adds the last day. */
async function costsOf(root: string, log: BenchLog, work: string): Promise<Costs> {
  await rm(work, { recursive: true, force: true });
  const [events, lake, duckdb] = [join(work, 'events'), join(work, 'lake'), join(work, 'duckdb')];
  await addFiles(log, log.files.slice(0, -1), events);
  const before = await duckdbJob(events, duckdb);
  const whole = await runAt(root, events, lake);
  const after = await duckdbJob(events, duckdb);
  await addFiles(log, log.files.slice(-1), events);
  const added = await runAt(root, events, lake);
  await rm(work, { recursive: true, force: true });
  return {
    duckdb: (before.cpuSeconds + after.cpuSeconds) / 2,
    cpu: { ingest: whole.ingest, 'whole run': whole.cpuSeconds, 'one more day': added.cpuSeconds },
  };
}

async function runAt(root: string, events: string, lake: string) {
  const { output, cpuSeconds } = await churnRun({ events, lake, root });
  const { runId } = summarySchema.parse(JSON.parse(output));
  const times = await readFile(join(lake, logFolder(runId), 'IngestEvents.times'), 'utf8');
  return { cpuSeconds, ingest: cpuSecondsOf(times) };
}
