/** How a failing step explains itself: by what the JVM threw, on a cluster whose executor really dies. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { stepErrorSchema } from '../../domain/results.ts';
import { scoreUsers } from '../../emr-steps/score-users.ts';
import { fileUri } from '../../local/adapters/file-uris.ts';
import { LOG4J_PROPERTIES, propertiesText, sparkEnvironment } from '../../local/spark/configuration.ts';
import { pythonExecutable } from '../../setup/environment.mjs';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./explanation_reference.py', import.meta.url).pathname;

const MEMORY = 'the data of one task did not fit into memory';
const ACCESS = "the cluster's role may not read or write what the message names";
const UNEXPECTED = "unexpected: see the message and the step's log";

describe('the explanation of a failed step', () => {
  let folder: string;
  let explained: Readonly<Record<string, z.infer<typeof stepErrorSchema>>>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const script = join(folder, scoreUsers.scriptName);
    await writeFile(script, scoreUsers.script);
    const configurationFolder = join(folder, 'conf');
    await mkdir(configurationFolder);
    await writeFile(join(configurationFolder, 'log4j2.properties'), LOG4J_PROPERTIES);
    // Spark's own default is the current folder with its blanks encoded: another folder.
    const warehouse = { 'spark.sql.warehouse.dir': fileUri(join(folder, 'spark-warehouse')) };
    await writeFile(join(configurationFolder, 'spark-defaults.conf'), propertiesText(warehouse));
    const { stdout } = await execa(pythonExecutable, [REFERENCE, script], {
      cwd: folder,
      env: { ...sparkEnvironment(configurationFolder), SPARK_WORKER_DIR: join(folder, 'work') },
      extendEnv: false,
    });
    explained = z.record(z.string(), stepErrorSchema).parse(JSON.parse(stdout));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['denied file', ACCESS],
    ['denied by Hadoop', ACCESS],
    ['status 403', ACCESS],
    ['status 403 of SDK 2', ACCESS],
    ['denied behind Python', ACCESS],
    ['heap', MEMORY],
    ['execution memory', MEMORY],
    ['memory of the driver', MEMORY],
    ['heap after a lost executor', MEMORY],
    ['heap of this machine', MEMORY],
  ])('knows %s by its class or status', (failure, cause) => {
    expect(explained[failure]?.likelyCause).toBe(cause);
  });

  it.each([
    'status 404',
    'status 500 of SDK 2',
    'misleading words',
    'no table',
    'failed task',
    'after the end of Spark',
  ])('does not guess for %s, whatever its message says', (failure) => {
    expect(explained[failure]?.likelyCause).toBe(UNEXPECTED);
  });

  it('says how executors were lost, where that ended the job', () => {
    expect(explained['lost executor']).toMatchObject({
      step: 'score-users',
      errorClass: 'Py4JJavaError',
      likelyCause: expect.stringMatching(/^executors were lost: .*137$/),
      whatToDo: "raise the cluster's size in the configuration and resume the run",
    });
  });

  it('keeps the words of an error that explains itself', () => {
    expect(explained.known).toEqual({
      step: 'score-users',
      errorClass: 'StepError',
      message: 'no model',
      likelyCause: 'it was removed',
      whatToDo: 'train again',
    });
  });
});
