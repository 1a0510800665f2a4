/** Runs a day apart on a small log: a first run, then one for each further day. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runSummarySchema } from '../local/run/run-summary.ts';
import { churnRun } from './churn-run.ts';
import type { DayFigures } from './days-table.ts';
import { lakeSize } from './lake-size.ts';
import { generatedLog } from './logs.ts';
import { addFiles } from './sizes.ts';

/** Days of the first run: enough for a training and a test cutoff on the grid. */
const FIRST_DAYS = 52;
const SMALL_USERS = 140;

export interface DaysOptions {
  readonly days: number;
  readonly users?: number;
  /** Folder of generated logs. */
  readonly logs: string;
  /** Folder for the lake; emptied. */
  readonly work: string;
}

/** The figures of each daily run, as soon as it has ended; those of the first run, which is day 0, before all. */
export async function* dailyRuns({ days, users, logs, work }: DaysOptions): AsyncGenerator<DayFigures> {
  const log = await generatedLog(logs, users ?? SMALL_USERS, FIRST_DAYS + days);
  await rm(work, { recursive: true, force: true });
  const [events, lake] = [join(work, 'events'), join(work, 'lake')];
  await addFiles(log, log.files.slice(0, FIRST_DAYS), events);
  for (let day = 0; day <= days; day += 1) {
    if (day > 0) await addFiles(log, log.files.slice(FIRST_DAYS + day - 1, FIRST_DAYS + day), events);
    const { output, cpuSeconds, wallSeconds } = await churnRun({ events, lake });
    const summary = runSummarySchema.parse(JSON.parse(output));
    if (summary.status !== 'SUCCEEDED') throw new Error(`day ${day} ended as ${summary.status}`);
    const hasTrained = summary.notTrained === null;
    yield { day, cpuSeconds, wallSeconds, hasTrained, ...(await lakeSize(lake)) };
  }
  await rm(work, { recursive: true, force: true });
}
