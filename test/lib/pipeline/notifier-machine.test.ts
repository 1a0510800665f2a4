import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { Notifications } from '../../../lib/pipeline/notifications.ts';
import { NotifierMachine } from '../../../lib/pipeline/notifier-machine.ts';
import { alone } from '../../support/construct-alone.ts';
import { allActions } from '../policies.ts';

describe('the notifier', () => {
  const { template, findings } = alone('pipeline', (stack, { key, logGroup }) => {
    const { topic } = new Notifications(stack, 'Notifications', { prefix: 'churn-dev', key });
    new NotifierMachine(stack, 'Notifier', {
      prefix: 'churn-dev',
      key,
      topic,
      logGroup: logGroup('/aws/vendedlogs/states/churn-dev-notifier'),
    });
  });

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('has a fixed name, logs everything, and is made after its policy', () => {
    template.hasResource('AWS::StepFunctions::StateMachine', {
      Properties: {
        StateMachineName: 'churn-dev-notifier',
        LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
        TracingConfiguration: { Enabled: true },
      },
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('^NotifierExecutionPolicy')]),
    });
  });

  test('publishes to the topic, uses the key, writes logs and traces, and nothing else', () => {
    const allowed = allActions(template);
    expect(allowed.get('sns:Publish')).toEqual(['<Notifications>']);
    expect(allowed.get('kms:Decrypt')).toEqual([expect.stringMatching(/key\/data$/)]);
    const others = [...allowed.keys()].filter((action) => !/^(logs|xray|kms):|^sns:Publish$/.test(action));
    expect(others).toEqual([]);
  });
});
