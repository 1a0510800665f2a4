/** The log groups: named here, so that the key's policy can name them too. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { LogLevel, type LogOptions } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { FUNCTION_NAMES, type FunctionName, notifierName } from '../domain/operations.ts';
import type { Configuration } from './configuration.ts';

/** @param prefix begins the names of the deployment */
export const LOG_GROUP_NAMES = {
  network: (prefix: string) => `/${prefix}/network`,
  function: (prefix: string, name: FunctionName) => `/aws/lambda/${prefix}-${name}`,
  /** Of one state machine, by its name. */
  stateMachine: (name: string) => `/aws/vendedlogs/states/${name}`,
} as const;

/** Names of all log groups of a deployment. */
export function logGroupNames(prefix: string): string[] {
  return [
    LOG_GROUP_NAMES.network(prefix),
    LOG_GROUP_NAMES.stateMachine(prefix),
    LOG_GROUP_NAMES.stateMachine(notifierName(prefix)),
    ...FUNCTION_NAMES.map((name) => LOG_GROUP_NAMES.function(prefix, name)),
  ];
}

export interface PipelineLogGroupProps {
  readonly configuration: Configuration;
  readonly key: IKey;
  readonly name: string;
}

/**
 * A log group under the key. It goes with its stack, data kept or not: its name is fixed, and one that was left over,
 * by `cdk destroy` or by a first deployment that failed, would let the next deployment fail.
 */
export function pipelineLogGroup(
  scope: Construct,
  id: string,
  { configuration, key, name }: PipelineLogGroupProps,
): LogGroup {
  return new LogGroup(scope, id, {
    logGroupName: name,
    retention: configuration.logRetentionDays,
    encryptionKey: key,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

/** Everything that a state machine does, with what it hands on. */
export function stateMachineLogs(scope: Construct, id: string, props: PipelineLogGroupProps): LogOptions {
  return { level: LogLevel.ALL, includeExecutionData: true, destination: pipelineLogGroup(scope, id, props) };
}
