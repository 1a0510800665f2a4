/** Which trainings are not repeated, and what is compared of those that are; training itself is left to a Spark test. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FEATURES_TABLE } from '../../../domain/features/features-table.ts';
import { icebergTableFolder, LOCAL_DATABASE, USER_DAYS } from '../../../domain/lake.ts';
import { runFolder } from '../../../domain/lake-objects.ts';
import type { RunPlan } from '../../../domain/run.ts';
import { UserError } from '../../../domain/user-error.ts';
import { filePath } from '../../../local/adapters/file-uris.ts';
import { type LakeFolder, openLake } from '../../../local/run/lake-folder.ts';
import type { TrainedFiles } from '../../../local/run/train-again.ts';
import { type Trainer, verifyModel } from '../../../local/run/verify-model.ts';
import { FEATURES, TRAINING } from '../../support/run-fixture.ts';
import { temporaryFolder, writePlan } from '../../support/spark-lake.ts';

const RUN = 'run-1';
/** Larger than what JavaScript holds exactly: the last digits count. */
const SNAPSHOTS = { features: '4611686018427387905', user_days: '4611686018427387907' };
const LIBRARIES = { python: '3.11.13', xgboost: '3.2.0' };
const DESCRIPTION = { kind: 'segments', runId: RUN, libraries: LIBRARIES, segments: { intercept: -2.5 } };

let lake: LakeFolder;
let scratch: string;
let plan: RunPlan;

beforeEach(async () => {
  scratch = await temporaryFolder();
  lake = await openLake(join(scratch, 'lake'));
  plan = await writePlan(lake.path, { runId: RUN, files: [] });
  const { results, model } = plan.outputs;
  await put(filePath(results['build-features']), {
    ...FEATURES,
    snapshots: { ...FEATURES.snapshots, ...SNAPSHOTS },
  });
  await put(filePath(results['train-models']), TRAINING);
  await put(join(filePath(model), 'model.json'), DESCRIPTION);
  await put(join(lake.path, runFolder(RUN), 'scripts', 'TrainModels.py'), {});
  await put(join(lake.path, runFolder(RUN), 'definition.json'), { StartAt: 'A', States: {} });
  await putTable(FEATURES_TABLE, SNAPSHOTS.features);
  await putTable(USER_DAYS, SNAPSHOTS.user_days);
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

async function put(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(value));
}

async function putTable(table: { readonly name: string }, snapshot: string): Promise<void> {
  const file = join(lake.path, icebergTableFolder(LOCAL_DATABASE, table), 'metadata', 'v2.metadata.json');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `{"snapshots": [{"snapshot-id": ${snapshot}, "schema-id": 0}]}`);
}

const trainer = (again: Partial<TrainedFiles> = {}, libraries: object = LIBRARIES): Trainer => ({
  libraries: async () => ({ ...libraries }),
  train: async () => ({
    result: TRAINING,
    description: DESCRIPTION,
    folder: join(scratch, 'again'),
    ...again,
  }),
});
const verify = (runId: string, given?: Trainer) =>
  verifyModel(lake, runId, { scratch, signal: AbortSignal.timeout(60_000) }, given ?? trainer());

async function refusal(runId = RUN, given?: Trainer): Promise<string> {
  const error: unknown = await verify(runId, given).catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw new Error(`not refused: ${String(error)}`);
  return error.message;
}

it('two trainings agree when everything is the same but the time and the place, and the lake stays as it is', async () => {
  const before = await readdir(lake.path, { recursive: true });
  const [first, ...others] = TRAINING.evaluations;
  const evaluations = [{ ...first, fitSeconds: 99 }, ...others];
  const found = await verify(
    RUN,
    trainer({ result: { ...TRAINING, evaluations, modelUri: 'file:///elsewhere' } }),
  );
  expect(found.differences).toEqual([]);
  expect(found.snapshots).toEqual(SNAPSHOTS);
  expect(found.documents).toEqual(['model.json', 'train-models.json']);
  expect(await readdir(lake.path, { recursive: true })).toEqual(before);
});

it('two trainings differ when a coefficient, a figure or a line of the own files of the model is another', async () => {
  const stored = join(filePath(plan.outputs.model), 'model', 'model', 'part-00000');
  const again = join(scratch, 'again', 'model', 'model', 'part-00000');
  await put(stored, { trees: [0.25] });
  await put(again, { trees: [0.3] });
  const { differences } = await verify(
    RUN,
    trainer({
      description: { ...DESCRIPTION, segments: { intercept: -2.4 } },
      result: { ...TRAINING, testRows: TRAINING.testRows + 1 },
    }),
  );
  expect(differences).toEqual([
    { place: 'model.json segments.intercept', stored: -2.5, again: -2.4 },
    { place: 'train-models.json testRows', stored: TRAINING.testRows, again: TRAINING.testRows + 1 },
    { place: 'model/model [0].trees[0]', stored: 0.25, again: 0.3 },
  ]);
});

it('a training is not repeated for a run that is unknown', async () => {
  expect(await refusal('run-2')).toMatch(/has no run run-2.*churn models/);
});

it('a training is not repeated for a run that has not trained', async () => {
  await rm(filePath(plan.outputs.results['train-models']));
  expect(await refusal()).toMatch(/run-1 has trained no model.*name a run that has/);
});

it('a training is not repeated without the script of the run', async () => {
  await rm(join(lake.path, runFolder(RUN), 'scripts'), { recursive: true });
  expect(await refusal()).toMatch(/The script with which run run-1 trained is not in/);
});

it('a training is not repeated with other libraries', async () => {
  const message = await refusal(RUN, trainer({}, { ...LIBRARIES, xgboost: '3.3.0' }));
  expect(message).toMatch(
    /another release \(test: xgboost 3\.2\.0; installed here: xgboost 3\.3\.0\).*check out that release/,
  );
});

it('a training is not repeated when a snapshot has expired, which is named', async () => {
  await putTable(USER_DAYS, `${SNAPSHOTS.user_days.slice(0, -1)}8`);
  expect(await refusal()).toMatch(/The snapshot 4611686018427387907 of user_days.*has expired/);
});
