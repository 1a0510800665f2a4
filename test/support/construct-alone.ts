/** One construct in a stack of its own: its template, and what cdk-nag finds in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { type Configuration, readConfiguration } from '../../lib/configuration.ts';
import { clusterZones } from '../../lib/network/cluster-network.ts';
import { PipelineLogGroup } from '../../lib/pipeline-log-group.ts';
import { projectContext } from '../../lib/project-context.ts';
import { ReviewedChecks } from '../../lib/review/reviewed-checks.ts';
import type { StackName } from './synthesize.ts';

const ENVIRONMENT = { account: '111122223333', region: 'eu-central-1' } as const;

/** Looks up nothing in the account. */
class StackOfOne extends Stack {
  override get availabilityZones(): string[] {
    return clusterZones();
  }
}

/** Resources of other stacks that the construct is given. */
export interface Given {
  readonly configuration: Configuration;
  readonly key: IKey;
  bucket(name: string): IBucket;
  logGroup(name: string): ILogGroup;
}

export interface Alone {
  readonly template: Template;
  /** What cdk-nag finds that was not reviewed, as `<rule> at <path>`. */
  readonly findings: readonly string[];
}

/**
 * @param stackName the stack that the construct belongs to: reviewed findings name it
 * @param make makes the construct, under the id that it has in the app
 */
export function alone(
  stackName: StackName,
  make: (stack: Stack, given: Given) => void,
  overrides: Readonly<Record<string, unknown>> = {},
): Alone {
  const outdir = mkdtempSync(join(tmpdir(), 'churn-alone-'));
  try {
    return synthesizedAlone(outdir, stackName, make, overrides);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function synthesizedAlone(
  outdir: string,
  stackName: StackName,
  make: (stack: Stack, given: Given) => void,
  overrides: Readonly<Record<string, unknown>>,
): Alone {
  const context = { ...projectContext(), ...overrides };
  const app = new App({
    outdir,
    context: { ...context, 'aws:cdk:bundling-stacks': [] },
    builtinCloudFormationValidation: false,
    analyticsReporting: false,
  });
  const others = new Stack(app, 'given', { env: ENVIRONMENT });
  const stack = new StackOfOne(app, `churn-dev-${stackName}`, { env: ENVIRONMENT });
  const configuration = readConfiguration(context);
  const key = Key.fromKeyArn(others, 'Key', `arn:aws:kms:eu-central-1:${ENVIRONMENT.account}:key/data`);
  make(stack, {
    configuration,
    key,
    bucket: (name) => Bucket.fromBucketName(others, name, name),
    logGroup: (name) => new PipelineLogGroup(others, name, { configuration, key, name }).logGroup,
  });
  const { violations } = new ReviewedChecks(app).validateScope(app);
  return {
    template: Template.fromStack(stack),
    findings: violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    ),
  };
}
