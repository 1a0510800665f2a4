import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { ClosingRules } from '../../../lib/pipeline/closing-rules.ts';
import { DeadLetters } from '../../../lib/pipeline/dead-letters.ts';
import { alone } from '../../support/construct-alone.ts';
import { machineNamed, resourcesOf } from '../../support/pipeline-parts.ts';

describe('the rules that close runs', () => {
  const { template, findings } = alone('pipeline', (stack, given) => {
    new ClosingRules(stack, 'Closing', {
      closeRun: resourcesOf(stack, given).functions['close-run'].lambda,
      stateMachine: machineNamed(stack, 'churn-dev'),
      deadLetters: new DeadLetters(stack, 'DeadLetters', { key: given.key }).queue,
    });
  });
  const target = {
    Arn: Match.stringLikeRegexp(':function:churn-dev-close-run$'),
    DeadLetterConfig: { Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^DeadLetters'), 'Arn'] } },
    RetryPolicy: { MaximumRetryAttempts: 8, MaximumEventAgeInSeconds: 7_200 },
  };

  test('pass cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('call close-run for executions of this state machine that failed in any way', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.states'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: [Match.stringLikeRegexp(':stateMachine:churn-dev$')],
        },
      },
      Targets: [Match.objectLike(target)],
    });
  });

  test('call it every 15 minutes for what no event reported', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(15 minutes)',
      Targets: [Match.objectLike({ ...target, Input: '{"sweep":true}' })],
    });
  });
});
