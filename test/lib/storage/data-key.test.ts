import { RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { DataKey } from '../../../lib/storage/data-key.ts';
import { alone } from '../../support/construct-alone.ts';

describe('the data key', () => {
  const { template, findings } = alone(
    'storage',
    (stack) => new DataKey(stack, 'Key', { prefix: 'churn-dev' }),
  );

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('rotates, and is kept unless its removal is asked for', () => {
    template.hasResource('AWS::KMS::Key', {
      Properties: { EnableKeyRotation: true },
      DeletionPolicy: 'Retain',
    });
    alone(
      'storage',
      (stack) => new DataKey(stack, 'Key', { prefix: 'churn-dev', removalPolicy: RemovalPolicy.DESTROY }),
    ).template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Delete' });
  });

  test('serves alarms of this account and log groups by name', () => {
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
          Match.objectLike({
            Condition: { ArnEquals: { 'kms:EncryptionContext:aws:logs:arn': Match.anyValue() } },
          }),
        ]),
      },
    });
  });
});
