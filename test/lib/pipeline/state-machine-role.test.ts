import type { Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { StateMachineRole } from '../../../lib/pipeline/state-machine-role.ts';
import { alone } from '../../support/construct-alone.ts';
import { allActions } from '../policies.ts';

describe('the role of a state machine', () => {
  const { template, findings } = alone('pipeline', (stack: Stack) => {
    // Wildcards for log delivery and X-Ray were reviewed for the role of the notifier.
    const notifier = new Construct(stack, 'Notifier');
    const { role } = new StateMachineRole(notifier, 'Execution', {
      description: 'Publishes',
      statements: [new PolicyStatement({ actions: ['sns:Publish'], resources: ['arn:aws:sns:::topic'] })],
    });
    role.addToPrincipalPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] }));
  });

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('is assumed by Step Functions, for this account only', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [
          Match.objectLike({
            Principal: { Service: 'states.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ],
      },
    });
  });

  test('has its statements, logs and traces, and takes no others', () => {
    const allowed = allActions(template);
    expect(allowed.get('sns:Publish')).toEqual(['arn:aws:sns:::topic']);
    expect(allowed.has('logs:CreateLogDelivery')).toBe(true);
    expect(allowed.has('xray:PutTraceSegments')).toBe(true);
    expect(allowed.has('s3:GetObject')).toBe(false);
  });
});
