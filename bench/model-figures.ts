/** Figures of models on simulated users: made by the steps' own scripts in one Spark session for each log. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { USER_DAYS } from '../domain/lake.ts';
import { buildFeatures } from '../emr-steps/build-features.ts';
import { trainModels } from '../emr-steps/train-models.ts';
import { sparkEnvironment } from '../local/spark/configuration.ts';
import { projectRoot, pythonExecutable } from '../setup/environment.mjs';
import { TRAINING } from './training-settings.ts';
import { writeUserDays } from './user-days.ts';

const BENCH = join(projectRoot, 'bench', 'model_bench.py');
const figuresSchema = z.strictObject({
  auc: z.number(),
  average_precision_ratio: z.number(),
  lift_at_10: z.number(),
  predicted_observed: z.number(),
  log_loss: z.number(),
});
export type Figures = z.infer<typeof figuresSchema>;

const outputSchema = z.strictObject({
  /** Users of the test cutoff. */
  rows: z.number(),
  figures: z.record(z.string(), figuresSchema),
});
export type ModelFigures = z.infer<typeof outputSchema>;

export interface Comparison {
  readonly users: number;
  readonly seed: number;
  /** What is compared: treatments of imbalance, or models. */
  readonly imbalance: boolean;
  /** Folder for what is needed on the way; emptied first. */
  readonly folder: string;
}

/** Simulates users, makes their rows, trains, and returns each model's figures. */
export async function modelFigures({ users, seed, imbalance, folder }: Comparison): Promise<ModelFigures> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const days = join(folder, 'days.tsv');
  await writeUserDays(days, users, seed);
  const scripts = [buildFeatures, trainModels];
  await Promise.all(scripts.map((step) => writeFile(join(folder, step.scriptName), step.script)));
  const schema = [
    ...USER_DAYS.columns.map(({ name, type }) => `${name} ${type === 'binary' ? 'string' : type}`),
    'user_class int',
  ].join(', ');
  const settings = JSON.stringify({ schema, imbalance, training: TRAINING });
  const { stdout } = await execa(
    pythonExecutable,
    [BENCH, ...scripts.map((step) => join(folder, step.scriptName)), days, settings],
    { cwd: folder, env: sparkEnvironment(folder), extendEnv: false, stderr: 'inherit' },
  );
  await rm(folder, { recursive: true, force: true });
  return outputSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

const HEADINGS: Readonly<Record<keyof Figures, string>> = {
  auc: 'AUC',
  average_precision_ratio: 'AP/base',
  lift_at_10: 'lift@10 %',
  predicted_observed: 'pred./obs.',
  log_loss: 'log loss',
};

/** Figures as a table, a line for each model. */
export function figuresTable(figures: Readonly<Record<string, Figures>>): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length)) + 2;
  const columns = figuresSchema.keyof().options;
  const head = `${''.padEnd(width)}${columns.map((column) => HEADINGS[column].padStart(12)).join('')}`;
  const lines = Object.entries(figures).map(
    ([name, found]) =>
      `${name.padEnd(width)}${columns.map((column) => found[column].toFixed(4).padStart(12)).join('')}`,
  );
  return [head, ...lines].join('\n');
}
