/** EMR on this machine: a cluster is a folder of settings, a step is a spark-submit. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KEYS } from '../../domain/lake.ts';
import { CLUSTER_TAGS } from '../../domain/operations.ts';
import { stepOfState } from '../../domain/states.ts';
import { fileUri } from '../adapters/file-uris.ts';
import type { LocalClusters } from '../adapters/local-clusters.ts';
import { TaskError, type TaskHandlers, taskFailed } from '../interpreter/task.ts';
import { LOG4J_PROPERTIES, localSparkSettings, propertiesText } from '../spark/configuration.ts';
import { isSmallStep, javaOptions } from '../spark/java-options.ts';
import type { SparkProgress } from '../spark/progress.ts';
import { sparkSubmit } from '../spark/submit.ts';
import { checkedParameters } from './parameters.ts';

const createClusterSchema = z.looseObject({
  Name: z.string(),
  Configurations: z
    .array(
      z.looseObject({
        Classification: z.string(),
        Properties: z.record(z.string(), z.string()).default({}),
      }),
    )
    .default([]),
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })),
});
const addStepSchema = z.looseObject({
  ClusterId: z.string(),
  Step: z.looseObject({
    Name: z.string(),
    HadoopJarStep: z.looseObject({ Jar: z.literal('command-runner.jar'), Args: z.array(z.string()) }),
  }),
});
const terminateClusterSchema = z.looseObject({ ClusterId: z.string() });

export interface LocalEmr {
  readonly lakeFolder: string;
  readonly clusters: LocalClusters;
  /** `s3://bucket/key` of a script to its file. */
  readonly assets: ReadonlyMap<string, string>;
  readonly onProgress: (stateName: string, progress: SparkProgress) => void;
}

/** Handlers of createCluster, addStep and terminateCluster. */
export function elasticMapReduce(emr: LocalEmr): TaskHandlers {
  const { clusters, lakeFolder } = emr;
  return {
    'elasticmapreduce:createCluster.sync': async (parameters) => {
      const request = checkedParameters(createClusterSchema, parameters, 'createCluster');
      const tag = (key: string): string => {
        const value = request.Tags.find(({ Key: name }) => name === key)?.Value;
        if (value === undefined) throw emrError(`the cluster has no tag ${key}, by which its run is found`);
        return value;
      };
      const clusterId = `j-${randomBytes(7).toString('hex').toUpperCase().slice(0, 13)}`;
      const folder = clusters.folderOf(clusterId);
      const scratchFolder = join(folder, 'scratch');
      await mkdir(scratchFolder, { recursive: true });
      const defined = request.Configurations.find(
        ({ Classification: classification }) => classification === 'spark-defaults',
      )?.Properties;
      const settings = localSparkSettings({ lakeFolder, scratchFolder, defined: defined ?? {} });
      await writeFile(join(folder, 'spark-defaults.conf'), propertiesText(settings));
      await writeFile(join(folder, 'log4j2.properties'), LOG4J_PROPERTIES);
      await clusters.create({
        clusterId,
        runId: tag(CLUSTER_TAGS.runId),
        executionArn: tag(CLUSTER_TAGS.executionArn),
      });
      return {
        ClusterId: clusterId,
        Cluster: { Id: clusterId, Name: request.Name, Status: { State: 'WAITING' } },
      };
    },

    'elasticmapreduce:addStep.sync': async (parameters, { signal, stateName }) => {
      const request = checkedParameters(addStepSchema, parameters, 'addStep');
      const { ClusterId: clusterId, Step: step } = request;
      const { runId } = await clusters.waiting(clusterId).catch((error: Error) => {
        throw emrError(error.message);
      });
      const logFile = join(lakeFolder, KEYS.run(runId), 'logs', `${step.Name}.log`);
      const args = localArguments(step.HadoopJarStep.Args, emr.assets);
      const scratchFolder = join(clusters.folderOf(clusterId), 'scratch');
      const isSmall = await workIsSmall(step.Name, args, lakeFolder);
      const exitCode = await sparkSubmit({
        args: ['--driver-java-options', javaOptions(scratchFolder, isSmall), ...args],
        configurationFolder: clusters.folderOf(clusterId),
        workingFolder: scratchFolder,
        logFile,
        signal,
        onStart: (leader) => clusters.change(clusterId, { step: leader }),
        onProgress: (progress) => emr.onProgress(stateName, progress),
      });
      await clusters.change(clusterId, { step: null });
      const stepId = `s-${randomBytes(7).toString('hex').toUpperCase().slice(0, 13)}`;
      if (exitCode === 0) return { Step: { Id: stepId, Name: step.Name, Status: { State: 'COMPLETED' } } };
      const state = exitCode === undefined ? 'CANCELLED' : 'FAILED';
      const reason =
        exitCode === undefined ? 'the step was ended' : `spark-submit ended with exit code ${exitCode}`;
      const logUri = fileUri(logFile);
      await clusters.change(clusterId, { failedStep: { name: step.Name, reason, logUri } });
      throw taskFailed({
        Step: {
          Id: stepId,
          Name: step.Name,
          Status: { State: state, FailureDetails: { Reason: reason, LogFile: logUri } },
        },
      });
    },

    'elasticmapreduce:terminateCluster.sync': async (parameters) => {
      const { ClusterId: clusterId } = checkedParameters(
        terminateClusterSchema,
        parameters,
        'terminateCluster',
      );
      await clusters.terminate(clusterId);
      return { Cluster: { Id: clusterId, Status: { State: 'TERMINATED' } } };
    },
  };
}

/**
 * Arguments of the step as this machine runs them: the script is the very file that would be uploaded, and the
 * driver is here anyway.
 * @returns what follows `spark-submit`
 */
export function localArguments(
  args: readonly string[],
  assets: ReadonlyMap<string, string>,
): readonly string[] {
  const [command, ...rest] = args;
  if (command !== 'spark-submit') {
    throw emrError(`a step runs "${command}"; the local run knows spark-submit only`);
  }
  const local: string[] = [];
  for (let index = 0; index < rest.length; index += 1) {
    const argument = rest[index] ?? '';
    if (argument === '--deploy-mode' || argument === '--master') {
      index += 1;
      continue;
    }
    const file = assets.get(argument);
    if (file === undefined && /^s3a?:\/\/.*\.(py|zip|jar)$/.test(argument)) {
      throw emrError(`${argument} is no asset of the app, so there is no local file for it`);
    }
    local.push(file ?? argument);
  }
  return local;
}

/** Whether a step of the pipeline has little to do; any other step counts as large. An EMR step carries its state's name. */
async function workIsSmall(stepName: string, args: readonly string[], lakeFolder: string): Promise<boolean> {
  const step = stepOfState(stepName);
  const option = args.indexOf('--plan');
  const planUri = option === -1 ? undefined : args[option + 1];
  return step !== undefined && planUri !== undefined && isSmallStep(step, planUri, lakeFolder);
}

/** An error of EMR's own API, under the one name that Step Functions gives them all. */
function emrError(message: string): TaskError {
  return new TaskError('EMR.AmazonElasticMapReduceException', message);
}
