/** What becomes of a step for which Spark does not start: it ends in time, and leaves its reason where close-run reads it. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stepErrorSchema } from '../../domain/results.ts';
import { scoreUsers } from '../../emr-steps/score-users.ts';
import { fileUri } from '../../local/adapters/file-uris.ts';
import { LOG4J_PROPERTIES, sparkEnvironment } from '../../local/spark/configuration.ts';
import { pythonExecutable, sparkHome } from '../../setup/environment.mjs';
import { temporaryFolder } from '../support/spark-lake.ts';

const REFERENCE = new URL('./start_watch_reference.py', import.meta.url).pathname;

/** Nothing listens there. */
const YARN_SITE = `<configuration>
  <property><name>yarn.resourcemanager.address</name><value>127.0.0.1:1</value></property>
</configuration>
`;

describe('a step for which Spark does not start', () => {
  let folder: string;
  let script: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    script = join(folder, scoreUsers.scriptName);
    await writeFile(script, scoreUsers.script);
    await mkdir(join(folder, 'conf'));
    await writeFile(join(folder, 'conf', 'log4j2.properties'), LOG4J_PROPERTIES);
    await writeFile(join(folder, 'conf', 'yarn-site.xml'), YARN_SITE);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Submits the step with a limit, and returns how it ended and the error that it left. */
  async function submit(seconds: number, settings: readonly string[]) {
    const error = join(folder, 'error.json');
    await rm(error, { force: true });
    const plan = join(folder, 'plan.json');
    await writeFile(plan, JSON.stringify({ outputs: { errors: { 'score-users': fileUri(error) } } }));
    const configuration = join(folder, 'conf');
    const { exitCode, stdout } = await execa(
      join(sparkHome, 'bin', 'spark-submit'),
      [...settings, REFERENCE, script, String(seconds), '--plan', fileUri(plan)],
      {
        cwd: folder,
        env: { ...sparkEnvironment(configuration), HADOOP_CONF_DIR: configuration },
        extendEnv: false,
        reject: false,
        timeout: 180_000,
      },
    );
    return { exitCode, stdout, error: stepErrorSchema.parse(JSON.parse(await readFile(error, 'utf8'))) };
  }

  it('ends when the time is up, though Spark would wait on', async () => {
    const { exitCode, error, stdout } = await submit(6, ['--master', 'yarn']);
    expect(exitCode).toBe(1);
    expect(error).toMatchObject({
      step: 'score-users',
      errorClass: 'StepError',
      message: 'Spark did not start within 0.1 minutes: YARN is not running its application',
      likelyCause: expect.stringMatching(/^YARN does not answer: .*Connection refused/),
      whatToDo: expect.stringMatching(/churn:nodeLabels=false/),
    });
    expect(stdout).toContain(error.message);
  });

  it('leaves its reason when Spark fails to start', async () => {
    const { exitCode, error } = await submit(600, [
      '--master',
      'local[1]',
      '--conf',
      'spark.serializer=no.such.Serializer',
    ]);
    expect(exitCode).toBe(1);
    expect(error).toMatchObject({
      step: 'score-users',
      message: expect.stringContaining('no.such.Serializer'),
    });
  });

  it('is explained by what YARN says about applications of that step that have not run yet', async () => {
    const { stdout } = await execa(pythonExecutable, [REFERENCE, script, '0', '--reports']);
    expect(stdout.split('\n')).toEqual([
      "YARN reports: application_3 is ACCEPTED: Queue's AM resource limit exceeded.; application_4 is SUBMITTED: no reason given",
      'YARN knows of no waiting application of this step',
    ]);
  });
});
