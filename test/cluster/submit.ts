/** Runs one application on YARN by spark-submit, as EMR's command-runner does, and collects what it printed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { LOG4J_PROPERTIES, propertiesText, sparkEnvironment } from '../../local/spark/configuration.ts';
import { sparkHome } from '../../setup/environment.mjs';
import { applicationMasterLabel, type Classifications, merged } from './classifications.ts';
import { sparkOverrides } from './overrides.ts';
import type { Yarn } from './yarn.ts';

export interface Submission {
  readonly yarn: Yarn;
  /** An empty folder. */
  readonly folder: string;
  readonly classifications: Classifications;
  /** Where S3 and Glue answer. */
  readonly endpoint: string;
  /** The script and its arguments. */
  readonly args: readonly string[];
  readonly timeoutMilliseconds: number;
}

export interface Outcome {
  readonly exitCode: number | undefined;
  /** Standard output and error. */
  readonly log: string;
}

/** Submits in client mode and waits until the application has ended. */
export async function submit(submission: Submission): Promise<Outcome> {
  const { yarn, folder, classifications, endpoint, args, timeoutMilliseconds } = submission;
  await mkdir(join(folder, 'scratch'), { recursive: true });
  const settings = merged(
    classifications,
    applicationMasterLabel(classifications),
    sparkOverrides(folder, endpoint),
  );
  await writeFile(join(folder, 'spark-defaults.conf'), propertiesText(settings['spark-defaults'] ?? {}));
  await writeFile(join(folder, 'log4j2.properties'), LOG4J_PROPERTIES);
  const { exitCode, all: log } = await execa(
    join(sparkHome, 'bin', 'spark-submit'),
    ['--deploy-mode', 'client', ...args],
    {
      cwd: join(folder, 'scratch'),
      env: { ...sparkEnvironment(folder), HADOOP_CONF_DIR: yarn.configurationFolder },
      extendEnv: false,
      timeout: timeoutMilliseconds,
      reject: false,
      all: true,
    },
  );
  return { exitCode, log };
}
