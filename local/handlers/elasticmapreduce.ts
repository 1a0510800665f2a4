/** Local counterpart of EMR: a cluster is a folder of settings and what runs its steps. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { logFolder } from '../../domain/lake-objects.ts';
import { CLUSTER_TAGS } from '../../domain/operations.ts';
import { stepOfState } from '../../domain/states.ts';
import { fileUri } from '../adapters/file-uris.ts';
import type { LocalClusters } from '../adapters/local-clusters.ts';
import { TaskError, type TaskHandlers, taskFailed } from '../interpreter/task.ts';
import { writeConfiguration } from '../spark/configuration.ts';
import { isSmallRun, javaOptions } from '../spark/java-options.ts';
import type { SparkProgress } from '../spark/progress.ts';
import type { StepRunner } from '../spark/step-runner.ts';
import { checkedParameters } from './parameters.ts';

const configuredSchema = z.looseObject({
  Configurations: z
    .array(
      z.looseObject({
        Classification: z.string(),
        Properties: z.record(z.string(), z.string()).default({}),
      }),
    )
    .default([]),
});
const createClusterSchema = configuredSchema.extend({
  Name: z.string(),
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
  /** Maps `s3://bucket/key` of a script to its file. */
  readonly assets: ReadonlyMap<string, string>;
  readonly onProgress: (stateName: string, progress: SparkProgress) => void;
  /** Makes what runs the steps of a cluster. */
  readonly newRunner: () => StepRunner;
}

/** Handlers of createCluster, addStep and terminateCluster. */
export function elasticMapReduce(emr: LocalEmr): TaskHandlers {
  const { clusters, lakeFolder } = emr;
  const runners = new Map<string, StepRunner>();
  return {
    'elasticmapreduce:createCluster.sync': async (parameters) => {
      const request = checkedParameters(createClusterSchema, parameters, 'createCluster');
      const tag = (key: string): string => {
        const value = request.Tags.find(({ Key: name }) => name === key)?.Value;
        if (value === undefined) throw emrError(`the cluster has no tag ${key}, which identifies its run`);
        return value;
      };
      const clusterId = `j-${randomBytes(7).toString('hex').toUpperCase().slice(0, 13)}`;
      const defined = sparkDefaultsOf(request);
      await writeConfiguration(clusters.folderOf(clusterId), { lakeFolder, defined });
      runners.set(clusterId, emr.newRunner());
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
      const logFile = join(lakeFolder, logFolder(runId), `${step.Name}.log`);
      const [script, ...options] = localArguments(step.HadoopJarStep.Args, emr.assets);
      const runner = runners.get(clusterId);
      if (script === undefined || runner === undefined)
        throw emrError(`${step.Name} has no script or cluster`);
      const scratchFolder = join(clusters.folderOf(clusterId), 'scratch');
      const isSmall = await workIsSmall(step.Name, options, lakeFolder);
      const exitCode = await runner({
        script,
        arguments: options,
        configurationFolder: clusters.folderOf(clusterId),
        workingFolder: scratchFolder,
        javaOptions: javaOptions(scratchFolder, isSmall),
        logFile,
        signal,
        onStart: (leader) => clusters.change(clusterId, { step: leader, engine: leader }),
        onProgress: (progress) => emr.onProgress(stateName, progress),
      });
      await clusters.change(clusterId, { step: null });
      const stepId = `s-${randomBytes(7).toString('hex').toUpperCase().slice(0, 13)}`;
      if (exitCode === 0) return { Step: { Id: stepId, Name: step.Name, Status: { State: 'COMPLETED' } } };
      const state = exitCode === undefined ? 'CANCELLED' : 'FAILED';
      const reason = exitCode === undefined ? 'the step was stopped' : exitReason(exitCode);
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
      runners.delete(clusterId);
      return { Cluster: { Id: clusterId, Status: { State: 'TERMINATED' } } };
    },
  };
}

/** The settings of Spark in the parameters of a createCluster, whatever else is in them. */
export function sparkDefaultsOf(parameters: unknown): Readonly<Record<string, string>> {
  const { Configurations: configurations } = configuredSchema.parse(parameters);
  const defaults = configurations.find(
    ({ Classification: classification }) => classification === 'spark-defaults',
  );
  return defaults?.Properties ?? {};
}

/** Exit code of a process that was killed: 128 and the number of SIGKILL. */
const KILLED = 137;
/** Exit codes of Java, and of Spark, when Java has run out of memory. */
const OUT_OF_MEMORY: readonly number[] = [3, 52];

/** Nobody but the system kills a step in this way: it takes the largest process when memory runs out. */
export function exitReason(exitCode: number): string {
  if (OUT_OF_MEMORY.includes(exitCode)) {
    return 'Java ran out of memory: give the container or the machine more (the heap is half of it, up to 2.5 GB), or read fewer files at once';
  }
  return exitCode === KILLED
    ? 'the step was killed by the system, which was out of memory: give the container or the machine more'
    : `spark-submit failed with exit code ${exitCode}`;
}

/**
 * The step's arguments for this machine: the script is the very file that would be uploaded; options about where the
 * driver runs are dropped.
 * @returns the arguments after `spark-submit`
 */
export function localArguments(
  args: readonly string[],
  assets: ReadonlyMap<string, string>,
): readonly string[] {
  const [command, ...rest] = args;
  if (command !== 'spark-submit') {
    throw emrError(`a step runs "${command}", but the local run supports only spark-submit`);
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
      throw emrError(`${argument} is not an asset of the app, so there is no local file for it`);
    }
    local.push(file ?? argument);
  }
  return local;
}

/** Whether a step of the pipeline has little work; any other step counts as large. An EMR step carries its state's name. */
async function workIsSmall(stepName: string, args: readonly string[], lakeFolder: string): Promise<boolean> {
  const step = stepOfState(stepName);
  const option = args.indexOf('--plan');
  const planUri = option === -1 ? undefined : args[option + 1];
  return step !== undefined && planUri !== undefined && isSmallRun(planUri, lakeFolder);
}

/** An error of EMR's API, with the one name that Step Functions gives to all of them. */
function emrError(message: string): TaskError {
  return new TaskError('EMR.AmazonElasticMapReduceException', message);
}
