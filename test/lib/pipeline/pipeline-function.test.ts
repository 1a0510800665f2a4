import { Match } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { METRIC_NAMESPACE } from '../../../domain/operations.ts';
import { DeadLetters } from '../../../lib/pipeline/dead-letters.ts';
import { PipelineFunction } from '../../../lib/pipeline/pipeline-function.ts';
import { alone } from '../../support/construct-alone.ts';
import { allActions } from '../policies.ts';

const closeRun = ({ withQueue }: { readonly withQueue: boolean }) =>
  alone('pipeline', (stack, { key, logGroup }) => {
    const deadLetters = withQueue
      ? { deadLetters: new DeadLetters(stack, 'DeadLetters', { key }).queue }
      : {};
    new PipelineFunction(stack, 'close-run', {
      name: 'close-run',
      prefix: 'churn-dev',
      key,
      logGroup: logGroup('/aws/lambda/churn-dev-close-run'),
      environment: { LAKE_ROOT: 's3://lake' },
      statements: [new PolicyStatement({ actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::lake'] })],
      ...deadLetters,
    });
  });

describe('a Lambda of the pipeline', () => {
  const { template, findings } = closeRun({ withQueue: true });

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('has a fixed name, and its environment under the key', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'churn-dev-close-run',
      Description: Match.stringLikeRegexp('^CloseRun: .'),
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      KmsKeyArn: Match.stringLikeRegexp('key/data$'),
      TracingConfig: { Mode: 'Active' },
      Environment: {
        Variables: {
          LAKE_ROOT: 's3://lake',
          POWERTOOLS_SERVICE_NAME: 'close-run',
          POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
        },
      },
    });
  });

  test('may do what its statements say, write its own log and traces, and keep its failures', () => {
    const allowed = allActions(template);
    expect([...allowed.keys()].sort()).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:ListBucket',
      'sqs:SendMessage',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
    expect(allowed.get('sqs:SendMessage')).toEqual(['<DeadLetters Arn>']);
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('^DeadLetters'), 'Arn'] } },
      },
    });
  });

  test('publishes a version, which stays when a later deployment publishes another', () => {
    template.hasResource('AWS::Lambda::Version', {
      Properties: { FunctionName: { Ref: Match.stringLikeRegexp('^closerun') } },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('keeps no failures where every caller waits for the answer', () => {
    const { template: without } = closeRun({ withQueue: false });
    without.resourceCountIs('AWS::Lambda::EventInvokeConfig', 0);
    expect(allActions(without).has('sqs:SendMessage')).toBe(false);
  });
});
