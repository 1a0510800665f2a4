/**
 * The Lambdas: one bundle each, arm64, their own role, structured logs under the key, failures kept in a queue; and the
 * published version of each that runs call.
 */
import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Architecture,
  type IFunction,
  type IVersion,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import {
  type ICommandHooks,
  NodejsFunction,
  OutputFormat,
  SourceMapMode,
} from 'aws-cdk-lib/aws-lambda-nodejs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type FunctionName, METRIC_NAMESPACE, PAGE_SCRIPT } from '../../domain/operations.ts';
import { STATES, stateOfFunction } from '../../domain/states.ts';
import { projectRoot } from '../../setup/environment.mjs';
import { asVersion } from '../cdk-interfaces.ts';
import { LAMBDA_MINUTES } from './timeouts.ts';

export interface PipelineFunctionProps {
  /** Also the name of its folder in lambda/. */
  readonly name: FunctionName;
  /** Name of the deployment: the function's physical name begins with it. */
  readonly prefix: string;
  /** Encrypts the environment. */
  readonly key: IKey;
  readonly logGroup: ILogGroup;
  /** Variables besides those that every Lambda has for its logs and metrics. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it may do besides writing its log and traces. */
  readonly statements: readonly PolicyStatement[];
  /**
   * Takes the calls that failed for good, where the function is called asynchronously.
   * @default such calls are lost: every caller waits for the answer
   */
  readonly deadLetters?: IQueue;
}

const MEMORY_MIB = 1_024;

/** The report's page has a script of its own, which is bundled beside the handler that puts it into the page. */
const PAGE_SCRIPT_HOOKS: ICommandHooks = {
  beforeBundling: () => [],
  beforeInstall: () => [],
  afterBundling: (_inputFolder, outputFolder) => [
    [
      `"${join(projectRoot, 'node_modules/.bin/esbuild')}"`,
      `"${join(projectRoot, PAGE_SCRIPT.source)}"`,
      '--bundle --minify --format=iife --target=es2022 --charset=utf8 --legal-comments=none --log-level=warning',
      ...PAGE_SCRIPT.absent.packages.map(
        (name) => `"--alias:${name}=${join(projectRoot, PAGE_SCRIPT.absent.source)}"`,
      ),
      `"--outfile=${join(outputFolder, PAGE_SCRIPT.file)}"`,
    ].join(' '),
  ],
};

/** The state that calls a Lambda, and what it does; AWS allows 256 characters. */
function functionDescription(name: FunctionName): string {
  const state = stateOfFunction(name);
  return `${state}: ${STATES[state].does}`;
}

/** Bundles lambda/<name>/handler.ts into a function. */
export class PipelineFunction extends Construct {
  /** Always the newest code: for what calls it outside a run. */
  readonly function: IFunction;
  /**
   * The code of this deployment, under an ARN of its own: a run that began before a later deployment keeps calling it. So
   * versions outlive the deployments that published them; they are deleted with the function.
   */
  readonly version: IVersion;

  constructor(scope: Construct, id: string, props: PipelineFunctionProps) {
    super(scope, id);
    const { name, prefix, key, logGroup, environment, deadLetters } = props;
    const lambda = new NodejsFunction(this, 'Default', {
      functionName: `${prefix}-${name}`,
      description: functionDescription(name),
      entry: join(projectRoot, 'lambda', name, 'handler.ts'),
      depsLockFilePath: join(projectRoot, 'package-lock.json'),
      projectRoot,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: MEMORY_MIB,
      timeout: Duration.minutes(LAMBDA_MINUTES),
      tracing: Tracing.ACTIVE,
      loggingFormat: LoggingFormat.JSON,
      logGroup,
      environmentEncryption: key,
      environment: {
        ...environment,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
        NODE_OPTIONS: '--enable-source-maps',
      },
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
      ...(deadLetters === undefined ? {} : { onFailure: new SqsDestination(deadLetters) }),
      // CDK's own grant for the queue would let it use the key in every way.
      role: functionRole(this, props).withoutPolicyUpdates(),
      bundling: {
        format: OutputFormat.ESM,
        // Older than the runtime: the tests run the bundles with the project's own Node.js.
        target: 'node22',
        minify: true,
        keepNames: true,
        sourceMap: true,
        sourceMapMode: SourceMapMode.DEFAULT,
        sourcesContent: false,
        // The SDK is bundled: what is tested is what runs.
        bundleAwsSDK: true,
        // Some dependencies are CommonJS and ask for `require`.
        banner:
          "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        ...(name === 'render-report' ? { commandHooks: PAGE_SCRIPT_HOOKS } : {}),
      },
    });
    this.function = lambda;
    this.version = asVersion(lambda.currentVersion);
  }
}

/** A role of its own, which may write to its own log group; AWS's basic one may write to all. */
function functionRole(
  scope: Construct,
  { name, logGroup, statements, deadLetters }: PipelineFunctionProps,
): Role {
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `Lambda ${name}`,
  });
  logGroup.grantWrite(role);
  const further = [writeTraces(), ...(deadLetters === undefined ? [] : [sendDeadLetters(deadLetters)])];
  for (const statement of [...statements, ...further]) role.addToPolicy(statement);
  return role;
}

/** Segments of traces have no resource to name. */
function writeTraces(): PolicyStatement {
  return new PolicyStatement({
    sid: 'WriteTraces',
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
    resources: ['*'],
  });
}

/** The queue is encrypted with the key of the lake, which every Lambda may use. */
function sendDeadLetters(deadLetters: IQueue): PolicyStatement {
  return new PolicyStatement({
    sid: 'SendDeadLetters',
    actions: ['sqs:SendMessage'],
    resources: [deadLetters.queueArn],
  });
}
