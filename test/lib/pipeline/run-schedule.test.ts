import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { DeadLetters } from '../../../lib/pipeline/dead-letters.ts';
import { RunSchedule } from '../../../lib/pipeline/run-schedule.ts';
import { alone } from '../../support/construct-alone.ts';
import { machineNamed } from '../../support/pipeline-parts.ts';

const schedule = (overrides: Readonly<Record<string, unknown>> = {}) =>
  alone(
    'pipeline',
    (stack, { configuration, key }) => {
      new RunSchedule(stack, 'Schedule', {
        configuration,
        key,
        stateMachine: machineNamed(stack, configuration.prefix),
        deadLetters: new DeadLetters(stack, 'DeadLetters', { key }).queue,
      });
    },
    overrides,
  );

describe('the schedule', () => {
  const { template, findings } = schedule();

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('starts the state machine with an empty request, and keeps starts that failed', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      Name: 'churn-dev',
      State: 'DISABLED',
      Target: {
        Arn: Match.stringLikeRegexp(':stateMachine:churn-dev$'),
        Input: '{}',
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^DeadLetters'), 'Arn'] } },
        RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 3_600 },
      },
    });
  });

  test('follows the configuration', () => {
    schedule({
      'churn:scheduleEnabled': 'true',
      'churn:scheduleExpression': 'rate(7 days)',
      'churn:scheduleTimeZone': 'Europe/Berlin',
      'churn:scheduleWindowMinutes': '30',
    }).template.hasResourceProperties('AWS::Scheduler::Schedule', {
      State: 'ENABLED',
      ScheduleExpression: 'rate(7 days)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { MaximumWindowInMinutes: 30 },
    });
  });
});
