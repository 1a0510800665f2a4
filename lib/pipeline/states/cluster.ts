/** The cluster of a run: created, used and terminated within one state that catches errors for all of them. */
import { Duration, Size } from 'aws-cdk-lib';
import { type Chain, JsonPath, Parallel, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import { EmrCreateCluster, EmrTerminateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { CLUSTER_TAGS } from '../../../domain/operations.ts';
import { instanceFleets } from '../instance-fleets.ts';
import type { Pipeline } from '../resources.ts';
import { EMR_RETRY } from '../retries.ts';
import { createClusterMinutes } from '../timeouts.ts';
import { described, describedTask } from './described.ts';

/** Where the states of a run read the id of the cluster. */
export const CLUSTER_ID = JsonPath.stringAt('$.cluster.ClusterId');

/** The try block: a Parallel with one branch, so that one Catch serves every state in it. Keeps its input. */
export function useCluster(on: Pipeline, steps: Chain): Parallel {
  return new Parallel(on.scope, 'UseCluster', {
    ...described('UseCluster'),
    resultPath: JsonPath.DISCARD,
  }).branch(steps);
}

/** Starts the run's cluster, as large as the plan says; result under `$.cluster`. */
export function createCluster(on: Pipeline): TaskStateBase {
  const { cluster, securityConfigurationName } = on.resources;
  return new EmrCreateCluster(on.scope, 'CreateCluster', {
    ...describedTask('CreateCluster', createClusterMinutes(cluster.spotTimeoutMinutes)),
    name: JsonPath.format(`${cluster.pipelineName}-{}`, JsonPath.executionName),
    releaseLabel: cluster.releaseLabel,
    applications: [{ name: 'Hadoop' }, { name: 'Spark' }],
    serviceRole: cluster.serviceRole,
    clusterRole: cluster.instanceRole,
    securityConfiguration: securityConfigurationName,
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
  }).addRetry(EMR_RETRY);
}

/** Terminates the cluster and waits until it is gone. */
export function terminateCluster(on: Pipeline): TaskStateBase {
  return new EmrTerminateCluster(on.scope, 'TerminateCluster', {
    ...describedTask('TerminateCluster'),
    clusterId: CLUSTER_ID,
    resultPath: JsonPath.DISCARD,
  }).addRetry(EMR_RETRY);
}
