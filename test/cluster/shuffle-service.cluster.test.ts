/**
 * The deployed settings of Spark on a YARN as EMR sets it up, with the shuffle service in its NodeManagers, which does
 * not know the secrets of applications that authenticate.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Classifications, EMR_DEFAULTS, merged } from './classifications.ts';
import { deployedClassifications } from './deployed-cluster.ts';
import { type RehearsalFolder, rehearsalFolder } from './folder.ts';
import { EXECUTORS } from './overrides.ts';
import { submit } from './submit.ts';
import { startYarn, type Yarn } from './yarn.ts';

const MINUTE = 60_000;
const SMALL_JOB = new URL('./small_job.py', import.meta.url).pathname;
/** What an executor logs when the service does not understand that it authenticates. */
const REFUSAL =
  'Unable to register with external shuffle server due to : java.lang.IllegalArgumentException: Unknown message type: -22';
/** A small job uses neither S3 nor Glue. */
const NOWHERE = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };

let root: RehearsalFolder | undefined;
let folder: string;
let yarn: Yarn;
let classifications: Classifications;

beforeAll(async () => {
  root = await rehearsalFolder('service');
  folder = root.path;
  classifications = merged(EMR_DEFAULTS, await deployedClassifications());
  yarn = await startYarn(join(folder, 'yarn'), classifications);
});

afterAll(async () => {
  await yarn?.stop();
  await root?.remove();
});

/** Everything that the containers on all nodes logged. */
async function containerLogs(): Promise<string> {
  const folders = yarn.nodeAddresses.map((address) => yarn.containerLogs(address));
  const files = await Promise.all(
    folders.map(async (logs) =>
      (await readdir(logs, { recursive: true }))
        .filter((name) => name.endsWith('stderr'))
        .map((name) => join(logs, name)),
    ),
  );
  return (await Promise.all(files.flat().map((file) => readFile(file, 'utf8')))).join('\n');
}

describe('a small job on YARN', () => {
  test('runs in two executors with the deployed settings', async () => {
    const { exitCode, log } = await submit({
      yarn,
      folder: join(folder, 'deployed'),
      classifications,
      aws: NOWHERE,
      args: ['--deploy-mode', 'client', SMALL_JOB],
      timeoutMilliseconds: 4 * MINUTE,
    });
    expect(exitCode, log).toBe(0);
    expect(log).toContain('rows: 100000');
    expect(log).toContain(`executors: ${EXECUTORS}`);
  });

  test('fails with EMR’s shuffle service, which does not know its secret', async () => {
    const { exitCode, log } = await submit({
      yarn,
      folder: join(folder, 'service'),
      classifications: merged(classifications, {
        'spark-defaults': { 'spark.shuffle.service.enabled': 'true' },
      }),
      aws: NOWHERE,
      args: ['--deploy-mode', 'client', SMALL_JOB],
      timeoutMilliseconds: 6 * MINUTE,
    });
    expect(exitCode).not.toBe(0);
    expect(log).toMatch(/Max number of executor failures \(\d+\) reached/);
    expect(await containerLogs()).toContain(REFUSAL);
  });
});
