/**
 * Trains once more what a run of this machine trained: with the script that it kept, from the snapshots that it read. The
 * lake is only read, so no lease is needed: snapshots do not change.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FEATURES_TABLE } from '../../domain/features/features-table.ts';
import { type Table, USER_DAYS } from '../../domain/lake.ts';
import { PLAN, runFolder, STEP_RESULT } from '../../domain/lake-objects.ts';
import { stepErrorSchema } from '../../domain/results.ts';
import type { RunPlan } from '../../domain/run.ts';
import { UserError } from '../../domain/user-error.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { ContentTags } from '../adapters/content-tags.ts';
import { filePath, fileUri } from '../adapters/file-uris.ts';
import { FolderStore } from '../adapters/folder-store.ts';
import { snapshotsOf } from '../adapters/iceberg-snapshots.ts';
import { writeConfiguration } from '../spark/configuration.ts';
import { isSmallRun, javaOptions } from '../spark/java-options.ts';
import { sparkSubmit } from '../spark/submit.ts';
import type { LakeFolder } from './lake-folder.ts';
import { type KeptStep, keptStep } from './scripts.ts';

/** The step and the state that train. */
const STEP = 'train-models';
const STATE = 'TrainModels';
/** Name of a model's description, below its folder. */
const DESCRIPTION = 'model.json';

/** What a training has left: documents as they were written, and the folder of the model with its own files. */
export interface TrainedFiles {
  readonly result: unknown;
  readonly description: unknown;
  readonly folder: string;
}

/** A training that can be repeated. */
export interface Repeatable {
  readonly runId: string;
  readonly plan: RunPlan;
  readonly step: KeptStep;
  /** Snapshots that it reads, by table. */
  readonly snapshots: Readonly<Record<string, string>>;
  readonly stored: TrainedFiles;
}

/**
 * Finds out whether the training of a run can be repeated here.
 * @param libraries versions that are installed, by name
 * @throws UserError saying why it cannot, and what to do
 */
export async function repeatable(
  folder: LakeFolder,
  runId: string,
  libraries: () => Promise<Readonly<Record<string, string>>>,
): Promise<Repeatable> {
  const lake = new Lake(new FolderStore(new ContentTags(folder.contentTags, false)), folder.root);
  const plan = await lake.glimpse(PLAN.of(runId));
  if (plan === undefined) {
    throw new UserError(
      `The lake ${folder.path} has no run ${runId} that this version can read: \`churn models\` lists its runs.`,
    );
  }
  const { results, model } = plan.outputs;
  const stored = {
    result: await documentAt(filePath(results[STEP])),
    description: await documentAt(join(filePath(model), DESCRIPTION)),
    folder: filePath(model),
  };
  if (stored.result === undefined || stored.description === undefined) {
    throw new UserError(
      `Run ${runId} has trained no model that is still stored: name a run that has (\`churn models\` lists the runs).`,
    );
  }
  const step = await keptStep(join(folder.path, runFolder(runId)), STATE);
  if (step === undefined) {
    throw new UserError(
      `The script with which run ${runId} trained is not in ${join(folder.path, runFolder(runId), 'scripts')} any more: restore it, or verify another run.`,
    );
  }
  requireSameLibraries(runId, plan, stored.description, await libraries());
  const built = await lake.read(STEP_RESULT['build-features'].at(results['build-features']));
  const snapshots = {
    [FEATURES_TABLE.name]: built.snapshots.features,
    [USER_DAYS.name]: built.snapshots.user_days,
  };
  for (const table of [FEATURES_TABLE, USER_DAYS]) await requireSnapshot(folder, plan, table, snapshots);
  return { runId, plan, step, snapshots, stored };
}

function requireSameLibraries(
  runId: string,
  { release }: RunPlan,
  description: unknown,
  installed: Readonly<Record<string, string>>,
): void {
  const recorded: unknown = Object(description).libraries;
  const used: Readonly<Record<string, unknown>> = Object(recorded);
  const other = Object.keys(installed).filter((name) => used[name] !== installed[name]);
  if (other.length === 0) return;
  const versions = (of: Readonly<Record<string, unknown>>): string =>
    other.map((name) => `${name} ${String(of[name] ?? 'unknown')}`).join(', ');
  throw new UserError(
    `Run ${runId} trained with another release (${release}: ${versions(used)}; installed here: ${versions(installed)}), ` +
      'so other figures would say nothing: check out that release, set it up and verify the run there.',
  );
}

async function requireSnapshot(
  { path }: LakeFolder,
  { runId, database }: RunPlan,
  table: Table,
  snapshots: Readonly<Record<string, string>>,
): Promise<void> {
  const snapshot = snapshots[table.name] ?? '';
  if ((await snapshotsOf(path, database, table)).has(snapshot)) return;
  throw new UserError(
    `The snapshot ${snapshot} of ${table.name}, from which run ${runId} trained, has expired with its files, so the training cannot be ` +
      'repeated: verify a newer run.',
  );
}

export interface TrainingAgain {
  /** Absolute path of the lake. */
  readonly lakeFolder: string;
  /** Empty folder for everything that is written. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/**
 * Trains in a Spark process of its own.
 * @throws UserError when the step fails or is stopped
 */
export async function trainAgain(
  { runId, plan, step, stored }: Repeatable,
  { lakeFolder, scratch, signal }: TrainingAgain,
): Promise<TrainedFiles> {
  const at = (name: string): string => join(scratch, name);
  const planFile = at('plan.json');
  const again = planIn(scratch, plan, stored);
  await writeFile(planFile, JSON.stringify(again));
  const configurationFolder = at('cluster');
  await mkdir(configurationFolder);
  const scratchFolder = await writeConfiguration(configurationFolder, {
    lakeFolder,
    defined: step.sparkDefaults,
  });
  const isSmall = await isSmallRun(fileUri(planFile), lakeFolder);
  const logFile = at(`${STATE}.log`);
  const exitCode = await sparkSubmit({
    script: step.script,
    arguments: ['--plan', fileUri(planFile)],
    configurationFolder,
    workingFolder: scratchFolder,
    javaOptions: javaOptions(scratchFolder, isSmall),
    logFile,
    signal,
    onStart: async () => {},
    onProgress: () => {},
  });
  if (exitCode === undefined)
    throw new UserError(`The training of run ${runId} was stopped before it ended.`);
  const result = await documentAt(filePath(again.outputs.results[STEP]));
  const folder = filePath(again.outputs.model);
  const description = await documentAt(join(folder, DESCRIPTION));
  if (exitCode !== 0 || result === undefined || description === undefined) {
    throw new UserError(
      `Training run ${runId} again failed: ${await failureText(filePath(again.outputs.errors[STEP]), logFile)}`,
    );
  }
  return { result, description, folder };
}

/** The plan with everything that is written in the scratch folder. */
function planIn(scratch: string, plan: RunPlan, { description }: TrainedFiles): RunPlan {
  const { outputs } = plan;
  const trainedBy: unknown = Object(description).runId;
  return {
    ...plan,
    // A resumed run's model was trained by the run that it resumed.
    runId: typeof trainedBy === 'string' ? trainedBy : plan.runId,
    outputs: {
      ...outputs,
      results: { ...outputs.results, [STEP]: fileUri(join(scratch, 'result.json')) },
      errors: { ...outputs.errors, [STEP]: fileUri(join(scratch, 'error.json')) },
      model: fileUri(join(scratch, 'model')),
    },
  };
}

/** A JSON document; undefined where there is none. */
async function documentAt(path: string): Promise<unknown> {
  return existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : undefined;
}

/** What the step says of its failure, or the last lines that it printed. */
async function failureText(errorFile: string, logFile: string): Promise<string> {
  const failure = stepErrorSchema.safeParse(await documentAt(errorFile));
  if (failure.success)
    return `${failure.data.message} (${failure.data.likelyCause}): ${failure.data.whatToDo}.`;
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  return `it printed as its last lines\n${lines.slice(-5).join('\n')}`;
}
