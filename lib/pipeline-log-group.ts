/** The log groups: named here, so that the key's policy can name them too. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ILogGroup, LogGroup } from 'aws-cdk-lib/aws-logs';
import { LogLevel, type LogOptions } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { FUNCTION_NAMES, type FunctionName, notifierName } from '../domain/operations.ts';
import type { Configuration } from './configuration.ts';

/** @param prefix begins the names of the deployment */
export const LOG_GROUP_NAMES = {
  network: (prefix: string) => `/${prefix}/network`,
  /** Of the notebook's network, where there is one. */
  notebook: (prefix: string) => `/${prefix}/notebook`,
  function: (prefix: string, name: FunctionName) => `/aws/lambda/${prefix}-${name}`,
  /** Of one state machine, by its name. */
  stateMachine: (name: string) => `/aws/vendedlogs/states/${name}`,
} as const;

/** Names of all log groups of a deployment. */
export function logGroupNames(prefix: string): string[] {
  return [
    LOG_GROUP_NAMES.network(prefix),
    LOG_GROUP_NAMES.notebook(prefix),
    LOG_GROUP_NAMES.stateMachine(prefix),
    LOG_GROUP_NAMES.stateMachine(notifierName(prefix)),
    ...FUNCTION_NAMES.map((name) => LOG_GROUP_NAMES.function(prefix, name)),
  ];
}

export interface PipelineLogGroupProps {
  /** Says how long logs are kept. */
  readonly configuration: Pick<Configuration, 'logRetentionDays'>;
  /** Encrypts the logs; its policy names the log groups. */
  readonly key: IKey;
  /** One of `LOG_GROUP_NAMES`. */
  readonly name: string;
}

/**
 * A log group under the key. It is deleted with its stack, whether data is kept or not: its name is fixed, and one that
 * was left over, by `cdk destroy` or by a first deployment that failed, would let the next deployment fail. For the same
 * reason its logical id must stay: CloudFormation would make a second one under the same name.
 */
export class PipelineLogGroup extends Construct {
  readonly logGroup: ILogGroup;

  constructor(scope: Construct, id: string, { configuration, key, name }: PipelineLogGroupProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Default', {
      logGroupName: name,
      retention: configuration.logRetentionDays,
      encryptionKey: key,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}

/** Logs everything that a state machine does, with the data that it passes on. */
export function stateMachineLogs(destination: ILogGroup): LogOptions {
  return { level: LogLevel.ALL, includeExecutionData: true, destination };
}
