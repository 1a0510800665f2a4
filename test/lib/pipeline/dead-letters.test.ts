import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { DeadLetters } from '../../../lib/pipeline/dead-letters.ts';
import { alone } from '../../support/construct-alone.ts';

describe('the dead-letter queue', () => {
  const { template, findings } = alone(
    'pipeline',
    (stack, { key }) => new DeadLetters(stack, 'DeadLetters', { key }),
  );

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('keeps messages for two weeks, under the key, and takes them by TLS only', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      MessageRetentionPeriod: 14 * 24 * 3_600,
      KmsMasterKeyId: Match.stringLikeRegexp('key/data$'),
    });
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ],
      },
    });
  });
});
