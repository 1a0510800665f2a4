/** A cluster of the emulated EMR: YARN on this machine, with the configurations that CreateCluster passes. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deployed, EMR_DEFAULTS, merged } from '../classifications.ts';
import { submit } from '../submit.ts';
import { startYarn, type Yarn } from '../yarn.ts';
import type { AwsEnvironment } from './aws-request.ts';
import type { StartCluster } from './emr.ts';

const STEP_MILLISECONDS = 30 * 60_000;

/** A cluster whose daemons were started, also after they were stopped. */
export interface StartedCluster {
  readonly yarn: Yarn;
  /** A folder for each step, by the name of its state: `submit.log`, and Spark's `events`. */
  readonly stepFolder: (stepName: string) => string;
}

/**
 * @param folder holds a folder for each cluster
 * @param aws variables with which the instances call AWS
 * @param onStart is called with each cluster once its daemons run
 */
export function yarnClusters(
  folder: string,
  aws: AwsEnvironment,
  onStart: (cluster: StartedCluster) => void,
): StartCluster {
  return async (clusterId, configurations) => {
    const own = join(folder, clusterId);
    await mkdir(own, { recursive: true });
    const classifications = merged(EMR_DEFAULTS, deployed(configurations));
    const yarn = await startYarn(join(own, 'yarn'), classifications);
    const stepFolder = (name: string): string => join(own, name);
    const stopping = new AbortController();
    onStart({ yarn, stepFolder });
    return {
      run: (name, [command, ...args]) => {
        if (command !== 'spark-submit')
          throw new Error(`a step runs ${command}: the rehearsal runs only spark-submit`);
        return submit({
          yarn,
          folder: stepFolder(name),
          classifications,
          aws,
          args,
          timeoutMilliseconds: STEP_MILLISECONDS,
          signal: stopping.signal,
        });
      },
      async stop() {
        stopping.abort();
        await yarn.stop();
      },
    };
  };
}
