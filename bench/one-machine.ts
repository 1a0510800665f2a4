/** What a user with one machine would pick instead: DuckDB, scikit-learn and XGBoost doing the whole job, JSON to scores. */
import { join } from 'node:path';
import { z } from 'zod';
import { CHURN_EVENT, RAW_COLUMNS } from '../domain/events.ts';
import { PAGE_COUNTERS } from '../domain/lake.ts';
import { projectRoot, pythonExecutable } from '../setup/environment.mjs';
import { DUCKDB_TYPES } from './duckdb-types.ts';
import { measure } from './measure.ts';
import type { Figures } from './measured-states.ts';
import { TRAINING } from './training-settings.ts';

const PROGRAM = join(projectRoot, 'bench', 'one_machine.py');

const outputSchema = z.strictObject({
  /** The candidate that was best out of fold. */
  model: z.string(),
  trainingRows: z.number(),
  /** Of that candidate, on the users of the newest cutoff whose outcomes are known. */
  auc: z.number(),
  scored: z.number(),
  /** Processor seconds. */
  parts: z.record(z.string(), z.number()),
});

export interface OneMachine extends Figures {
  readonly found: z.infer<typeof outputSchema>;
}

/** Does and measures the whole job on the event files in a folder. */
export async function oneMachineJob(events: string, outputFolder: string): Promise<OneMachine> {
  const settings = {
    events: join(events, '*.json').replaceAll("'", "''"),
    outputFolder,
    columns: Object.fromEntries(RAW_COLUMNS.map(({ name, type }) => [name, DUCKDB_TYPES[type]])),
    counters: Object.fromEntries(PAGE_COUNTERS.map(({ column, page }) => [column, page])),
    cancellation: CHURN_EVENT.page,
    ...TRAINING,
  };
  const { output, wallSeconds, cpuSeconds, peakBytes } = await measure([
    ...[pythonExecutable, PROGRAM, JSON.stringify(settings)],
  ]);
  return { wallSeconds, cpuSeconds, peakBytes, found: outputSchema.parse(JSON.parse(output)) };
}
