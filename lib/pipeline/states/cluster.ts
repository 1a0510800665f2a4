/** The cluster of a run: made, used, and ended within one state that catches for all of them. */
import { Duration, Size } from 'aws-cdk-lib';
import { type Chain, JsonPath, Parallel, type TaskStateBase, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { EmrCreateCluster, EmrTerminateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { CLUSTER_TAGS } from '../../../domain/operations.ts';
import { instanceFleets } from '../instance-fleets.ts';
import type { Pipeline } from '../resources.ts';
import { EMR_RETRY } from '../retries.ts';
import { createClusterMinutes, TERMINATE_MINUTES } from '../timeouts.ts';

/** Where the states of a run find the cluster. */
export const CLUSTER_ID = JsonPath.stringAt('$.cluster.ClusterId');

/** The try block: a Parallel with one branch, so that one Catch serves every state in it. Keeps its input. */
export function useCluster(on: Pipeline, steps: Chain): Parallel {
  return new Parallel(on.scope, 'UseCluster', {
    comment: 'Everything that needs the cluster',
    resultPath: JsonPath.DISCARD,
  }).branch(steps);
}

/** Starts the run's cluster, as large as the plan says; result under `$.cluster`. */
export function createCluster(on: Pipeline): TaskStateBase {
  const { cluster } = on.resources;
  return new EmrCreateCluster(on.scope, 'CreateCluster', {
    comment: "Start the run's cluster, as large as the plan says",
    name: JsonPath.format(`${cluster.pipelineName}-{}`, JsonPath.executionName),
    releaseLabel: cluster.releaseLabel,
    applications: [{ name: 'Hadoop' }, { name: 'Spark' }],
    serviceRole: cluster.serviceRole,
    clusterRole: cluster.instanceRole,
    securityConfiguration: cluster.securityConfigurationName,
    logUri: cluster.logUri,
    bootstrapActions: [...cluster.bootstrapActions],
    configurations: [...cluster.configurations],
    ebsRootVolumeSize: Size.gibibytes(30),
    instances: {
      instanceFleets: instanceFleets(cluster),
      ec2SubnetIds: [...cluster.subnetIds],
      emrManagedMasterSecurityGroup: cluster.primarySecurityGroupId,
      emrManagedSlaveSecurityGroup: cluster.workerSecurityGroupId,
      serviceAccessSecurityGroup: cluster.serviceAccessSecurityGroupId,
      terminationProtected: false,
    },
    autoTerminationPolicyIdleTimeout: Duration.minutes(cluster.idleMinutes),
    scaleDownBehavior: EmrCreateCluster.EmrClusterScaleDownBehavior.TERMINATE_AT_TASK_COMPLETION,
    tags: {
      ...cluster.tags,
      [CLUSTER_TAGS.pipeline]: cluster.pipelineName,
      [CLUSTER_TAGS.runId]: JsonPath.executionName,
      [CLUSTER_TAGS.executionArn]: JsonPath.executionId,
    },
    resultSelector: { ClusterId: JsonPath.stringAt('$.ClusterId') },
    resultPath: '$.cluster',
    taskTimeout: Timeout.duration(Duration.minutes(createClusterMinutes(cluster.spotTimeoutMinutes))),
  }).addRetry(EMR_RETRY);
}

/** Ends the cluster and waits until it has ended. */
export function terminateCluster(on: Pipeline): TaskStateBase {
  return new EmrTerminateCluster(on.scope, 'TerminateCluster', {
    comment: 'End the cluster and wait until it has ended',
    clusterId: CLUSTER_ID,
    resultPath: JsonPath.DISCARD,
    taskTimeout: Timeout.duration(Duration.minutes(TERMINATE_MINUTES)),
  }).addRetry(EMR_RETRY);
}
