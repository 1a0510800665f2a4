/** A model that a whole run chose is trained again: the same, whatever kind it is, until something of it is changed. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ObjectFiles } from '../../bin/commands/deployed/fetch-model.ts';
import { compareRuns } from '../../bin/commands/models/verify-deployed.ts';
import { CURRENT, LEASE, MODEL, RUN_RECORD } from '../../domain/lake-objects.ts';
import { VERIFYING_STATES } from '../../domain/states.ts';
import { generateLog } from '../../generator/generate.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { ContentTags } from '../../local/adapters/content-tags.ts';
import { filePath } from '../../local/adapters/file-uris.ts';
import { FolderStore } from '../../local/adapters/folder-store.ts';
import { openLake } from '../../local/run/lake-folder.ts';
import { runLocally } from '../../local/run/local-run.ts';
import { withDefinition } from '../../local/template/synthesize.ts';
import { churn, successfulRun } from '../support/command-line.ts';
import { temporaryFolder } from '../support/spark-lake.ts';

let folder: string;
let lake: string;
let runId: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  lake = join(folder, 'lake');
  const log = join(folder, 'log');
  await generateLog({ users: 700, days: 62, seed: 5, outputFolder: log });
  ({ runId } = await successfulRun(lake, log));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function verify() {
  const { code, output } = await churn('models', '--verify', runId, '--lake', lake, '--json').ended;
  return { code, found: JSON.parse(output) };
}

it('is the same model, to a millionth', async () => {
  const description = JSON.parse(await readFile(join(lake, MODEL.of(runId).key), 'utf8'));
  expect(description.kind).not.toBe('base_rate');
  const { code, found } = await verify();
  expect(found.differences).toEqual([]);
  expect(code).toBe(0);
});

it('is the same model when a run of the state machine trains it again, which does nothing else', async () => {
  const opened = await openLake(lake);
  const objects = new FolderStore(new ContentTags(opened.contentTags, false));
  const shared = async (): Promise<readonly string[]> =>
    Promise.all([CURRENT, LEASE].map(({ key }) => readFile(join(lake, key), 'utf8')));
  const before = await shared();
  const summary = await withDefinition((definition) =>
    runLocally({
      lake: opened,
      definition,
      eventsLocation: pathToFileURL(join(folder, 'log')).href,
      request: { verify: runId },
      observer: { onStart: () => {}, onState: () => {}, onProgress: () => {}, onNote: () => {} },
      signal: AbortSignal.timeout(600_000),
    }),
  );
  expect(summary.states.map(({ name }) => name)).toEqual(VERIFYING_STATES);
  expect(await shared()).toEqual(before);
  const records = await new Lake(objects, opened.root).list(RUN_RECORD);
  expect(records.map(({ id }) => id)).toEqual([runId]);
  const files: ObjectFiles = {
    list: async (place) => (await objects.list(place)).map(({ uri }) => uri),
    bytes: (uri) => readFile(filePath(uri)),
  };
  const found = await compareRuns(new Lake(objects, opened.root), files, {
    runId,
    trainedBy: summary.runId,
  });
  expect(found.differences).toEqual([]);
  expect(found.documents.length).toBeGreaterThanOrEqual(2);
});

it('is another model when one coefficient was changed, which is named', async () => {
  const file = join(lake, MODEL.of(runId).key);
  const description = JSON.parse(await readFile(file, 'utf8'));
  const { slope } = description.calibration;
  description.calibration.slope = slope * 1.001;
  await writeFile(file, JSON.stringify(description));
  const { code, found } = await verify();
  expect(found.differences).toEqual([
    { place: 'model.json calibration.slope', stored: description.calibration.slope, again: slope },
  ]);
  expect(code).toBe(1);
});
