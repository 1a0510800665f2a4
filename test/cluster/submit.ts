/** Runs one application on YARN by spark-submit, as EMR's command-runner does, and collects what it printed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { LOG4J_PROPERTIES, propertiesText, sparkEnvironment } from '../../local/spark/configuration.ts';
import { sparkHome } from '../../setup/environment.mjs';
import { applicationMasterLabel, type Classifications, merged } from './classifications.ts';
import { NATIVE_MEMORY, sparkOverrides } from './overrides.ts';
import type { Yarn } from './yarn.ts';

export interface Submission {
  readonly yarn: Yarn;
  /** An empty folder. */
  readonly folder: string;
  readonly classifications: Classifications;
  /** Variables with which driver and executors call AWS: where, and as whom. */
  readonly aws: Readonly<Record<string, string>>;
  /** Arguments of spark-submit. */
  readonly args: readonly string[];
  readonly timeoutMilliseconds: number;
  /** Kills the driver, as the end of the primary instance would. */
  readonly signal?: AbortSignal;
}

export interface Outcome {
  readonly exitCode: number | undefined;
  /** Standard output and error. */
  readonly log: string;
}

/** Submits, and waits until the application has ended. Spark's events are in `events`, a folder of the submission's. */
export async function submit(submission: Submission): Promise<Outcome> {
  const { yarn, folder, classifications, aws, args, timeoutMilliseconds } = submission;
  await mkdir(join(folder, 'scratch'), { recursive: true });
  await mkdir(join(folder, 'events'), { recursive: true });
  const settings = merged(
    classifications,
    applicationMasterLabel(classifications),
    sparkOverrides(folder, aws),
  );
  await writeFile(join(folder, 'spark-defaults.conf'), propertiesText(settings['spark-defaults'] ?? {}));
  await writeFile(join(folder, 'log4j2.properties'), LOG4J_PROPERTIES);
  // A step that is stopped before it has begun.
  if (submission.signal?.aborted === true) return { exitCode: undefined, log: '' };
  const submitted = execa(join(sparkHome, 'bin', 'spark-submit'), [...args], {
    cwd: join(folder, 'scratch'),
    env: { ...sparkEnvironment(folder), ...aws, ...NATIVE_MEMORY, HADOOP_CONF_DIR: yarn.configurationFolder },
    extendEnv: false,
    timeout: timeoutMilliseconds,
    reject: false,
    all: true,
    // A group of its own: Java and the Python that it starts.
    detached: true,
    cleanup: true,
  });
  const kill = (): void => {
    if (submitted.pid !== undefined) process.kill(-submitted.pid, 'SIGKILL');
  };
  submission.signal?.addEventListener('abort', kill, { once: true });
  const { exitCode, all: log } = await submitted;
  submission.signal?.removeEventListener('abort', kill);
  await writeFile(join(folder, 'submit.log'), log);
  return { exitCode, log };
}
