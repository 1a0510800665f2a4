/** The Lambdas: one bundle each, arm64, their own role, structured logs under the key, failures kept in a queue. */
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { type FunctionName, METRIC_NAMESPACE } from '../../domain/operations.ts';
import { STATES, stateOfFunction } from '../../domain/states.ts';
import { projectRoot } from '../../setup/environment.mjs';
import type { Configuration } from '../configuration.ts';
import { LOG_GROUP_NAMES, pipelineLogGroup } from '../monitoring/log-groups.ts';
import { LAMBDA_MINUTES } from './timeouts.ts';

export interface PipelineFunctionProps {
  readonly configuration: Configuration;
  readonly key: IKey;
  /** Takes the calls that failed for good, where the function is called without anybody waiting. */
  readonly deadLetters?: IQueue;
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
}

const MEMORY_MIB = 1_024;

/** Physical name of a Lambda: fixed, so that names can be told before anything is deployed. */
export function functionName(configuration: Configuration, name: FunctionName): string {
  return `${configuration.prefix}-${name}`;
}

/** The state that calls a Lambda, and what it does; AWS allows 256 characters. */
function functionDescription(name: FunctionName): string {
  const state = stateOfFunction(name);
  return `${state}: ${STATES[state].does}`;
}

/** Bundles lambda/<name>/handler.ts into a function. */
export function pipelineFunction(
  scope: Construct,
  name: FunctionName,
  props: PipelineFunctionProps,
): NodejsFunction {
  const { configuration, key } = props;
  const logGroup = pipelineLogGroup(scope, `${name}-logs`, {
    configuration,
    key,
    name: LOG_GROUP_NAMES.function(configuration.prefix, name),
  });
  return new NodejsFunction(scope, name, {
    functionName: functionName(configuration, name),
    description: functionDescription(name),
    entry: join(projectRoot, 'lambda', name, 'handler.ts'),
    depsLockFilePath: join(projectRoot, 'package-lock.json'),
    projectRoot,
    runtime: Runtime.NODEJS_22_X,
    architecture: Architecture.ARM_64,
    memorySize: MEMORY_MIB,
    timeout: Duration.minutes(LAMBDA_MINUTES),
    tracing: Tracing.ACTIVE,
    loggingFormat: LoggingFormat.JSON,
    logGroup,
    environmentEncryption: key,
    environment: {
      ...props.environment,
      POWERTOOLS_SERVICE_NAME: name,
      POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
      NODE_OPTIONS: '--enable-source-maps',
    },
    ...(props.deadLetters === undefined ? {} : { onFailure: new SqsDestination(props.deadLetters) }),
    // CDK's own grant for the queue would let it use the key in every way.
    role: functionRole(scope, name, logGroup, props).withoutPolicyUpdates(),
    bundling: {
      format: OutputFormat.ESM,
      target: 'node22',
      minify: true,
      keepNames: true,
      sourceMap: true,
      sourceMapMode: SourceMapMode.DEFAULT,
      sourcesContent: false,
      // The SDK is bundled: what is tested is what runs.
      bundleAwsSDK: true,
      // Some dependencies are CommonJS and ask for `require`.
      banner: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
}

/** A role of its own, that may write to its own log group; AWS's basic one may write to all. */
function functionRole(
  scope: Construct,
  name: FunctionName,
  logGroup: LogGroup,
  { statements, deadLetters }: PipelineFunctionProps,
): Role {
  const role = new Role(scope, `${name}-role`, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `Lambda ${name}`,
  });
  logGroup.grantWrite(role);
  for (const statement of [
    ...statements,
    traces(),
    ...(deadLetters === undefined ? [] : [keepFailures(deadLetters)]),
  ])
    role.addToPolicy(statement);
  return role;
}

/** Segments of traces have no resource to name. */
function traces(): PolicyStatement {
  return new PolicyStatement({
    sid: 'Traces',
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
    resources: ['*'],
  });
}

/** The key of the queue is that of the lake, which every Lambda may use. */
function keepFailures(deadLetters: IQueue): PolicyStatement {
  return new PolicyStatement({
    sid: 'KeepFailures',
    actions: ['sqs:SendMessage'],
    resources: [deadLetters.queueArn],
  });
}
