import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { Notifications } from '../../../lib/pipeline/notifications.ts';
import { alone } from '../../support/construct-alone.ts';

const EXISTING = 'arn:aws:sns:eu-central-1:111122223333:oncall';

const notifications = (email?: string) =>
  alone(
    'pipeline',
    (stack, { key }) => new Notifications(stack, 'Notifications', { prefix: 'churn-dev', key, email }),
  );

describe('the topic of notifications', () => {
  const { template, findings } = notifications();

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('is under the key, and takes alarms of this account, by TLS only', () => {
    template.hasResourceProperties('AWS::SNS::Topic', {
      TopicName: 'churn-dev-notifications',
      KmsMasterKeyId: Match.stringLikeRegexp('key/data$'),
    });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
          }),
        ],
      },
    });
  });

  test('has a subscriber only where an address is given', () => {
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    notifications('oncall@example.com').template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'oncall@example.com',
    });
  });
});

test('an existing topic is used as it is: no topic, no policy and no subscription are made', () => {
  const { template, findings } = alone('pipeline', (stack, { key }) => {
    const existing = { topicArn: EXISTING };
    const { topic, key: used } = new Notifications(stack, 'Notifications', {
      prefix: 'churn-dev',
      key,
      existing,
    });
    expect(topic.topicArn).toBe(EXISTING);
    expect(used).toBeUndefined();
  });
  expect(findings).toEqual([]);
  expect(template.toJSON()).not.toHaveProperty('Resources');
});
