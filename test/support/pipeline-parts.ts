/** What constructs of the pipeline are given when each is made alone: resources of other stacks, by name. */
import type { Stack } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import { type IVersion, Function as LambdaFunction, Version } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { type IStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { each } from '../../domain/each.ts';
import { FUNCTION_NAMES } from '../../domain/operations.ts';
import { STEP_NAMES } from '../../domain/run.ts';
import type { ClusterProfile } from '../../lib/compute/cluster-profile.ts';
import { DeadLetters } from '../../lib/pipeline/dead-letters.ts';
import type { WatchedPipeline } from '../../lib/pipeline/pipeline-stack.ts';
import type { PipelineResources } from '../../lib/pipeline/resources.ts';
import type { Storage } from '../../lib/storage/storage-stack.ts';
import type { Given } from './construct-alone.ts';

const PLACE = 'eu-central-1:111122223333';

export function storageOf({ key, bucket, configuration }: Given): Storage {
  return {
    key,
    rawBucket: bucket('RawEvents'),
    lakeBucket: bucket('Lake'),
    logBucket: bucket('ClusterLogs'),
    resultsBucket: bucket('QueryResults'),
    lakeRoot: 's3://Lake',
    eventsRoot: 's3://RawEvents/events',
    workgroupName: configuration.prefix,
    databaseName: 'churn_dev_0a1b2c3d',
  };
}

export function clusterOf(stack: Stack, { configuration }: Given): ClusterProfile {
  return {
    pipelineName: configuration.prefix,
    releaseLabel: 'emr-7.13.0',
    serviceRole: Role.fromRoleName(stack, 'GivenServiceRole', 'service', { mutable: false }),
    instanceRole: Role.fromRoleName(stack, 'GivenInstanceRole', 'instances', { mutable: false }),
    subnetIds: ['subnet-0a', 'subnet-0b'],
    primarySecurityGroupId: 'sg-1',
    workerSecurityGroupId: 'sg-2',
    serviceAccessSecurityGroupId: 'sg-3',
    primaryInstanceTypes: configuration.primaryInstanceTypes,
    coreInstanceTypes: configuration.coreInstanceTypes,
    taskInstanceTypes: configuration.taskInstanceTypes,
    volumeGiB: configuration.volumeGiB,
    logUri: 's3://ClusterLogs/clusters/',
    bootstrapActions: [],
    configurations: [],
    idleMinutes: configuration.idleMinutes,
    spotTimeoutMinutes: configuration.spotTimeoutMinutes,
    tags: {},
  };
}

export function machineNamed(stack: Stack, name: string): IStateMachine {
  return StateMachine.fromStateMachineArn(
    stack,
    `Given-${name}`,
    `arn:aws:states:${PLACE}:stateMachine:${name}`,
  );
}

/** Version 7 of a function. */
function versionOf(stack: Stack, functionName: string): IVersion {
  const lambda = LambdaFunction.fromFunctionAttributes(stack, `Given-${functionName}`, {
    functionArn: `arn:aws:lambda:${PLACE}:function:${functionName}`,
    sameEnvironment: true,
  });
  return Version.fromVersionAttributes(stack, `Given-${functionName}-7`, { lambda, version: '7' });
}

export function resourcesOf(stack: Stack, given: Given): PipelineResources {
  const { prefix } = given.configuration;
  return {
    functions: each(FUNCTION_NAMES, (name) => versionOf(stack, `${prefix}-${name}`)),
    steps: each(STEP_NAMES, (name) => ({ scriptUri: `s3://assets/${name}.py` })),
    cluster: clusterOf(stack, given),
    securityConfigurationName: 'secure',
    workgroupName: prefix,
    databaseName: 'churn_dev_0a1b2c3d',
    notifier: machineNamed(stack, `${prefix}-notifier`),
  };
}

export function watchedPipeline(stack: Stack, given: Given): WatchedPipeline {
  const { functions, notifier } = resourcesOf(stack, given);
  return {
    functions: each(FUNCTION_NAMES, (name) => functions[name].lambda),
    notifier,
    stateMachine: machineNamed(stack, given.configuration.prefix),
    notifications: Topic.fromTopicArn(stack, 'Notifications', `arn:aws:sns:${PLACE}:notifications`),
    deadLetters: new DeadLetters(stack, 'DeadLetters', { key: given.key }).queue,
  };
}
