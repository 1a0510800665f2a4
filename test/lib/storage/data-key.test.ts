import { RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { DataKey } from '../../../lib/storage/data-key.ts';
import { alone } from '../../support/construct-alone.ts';
import { policyDocuments } from '../policies.ts';

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

  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html
  test('lets the role that launches spot instances encrypt their volumes, and nobody else', () => {
    const statements = policyDocuments(template).flatMap(({ document }) => document.Statement);
    const open = statements.filter(({ Principal }) => JSON.stringify(Principal)?.includes('*'));
    expect(open.flatMap(({ Action }) => Action).toSorted()).toEqual([
      'kms:CreateGrant',
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ]);
    for (const { Condition } of open) {
      expect(Condition).toMatchObject({
        StringEquals: { 'kms:CallerAccount': [{ Ref: 'AWS::AccountId' }] },
        ArnEquals: {
          'aws:PrincipalArn': [
            {
              'Fn::Join': [
                '',
                expect.arrayContaining([
                  expect.stringMatching(
                    /role\/aws-service-role\/spot\.amazonaws\.com\/AWSServiceRoleForEC2Spot$/,
                  ),
                ]),
              ],
            },
          ],
        },
      });
    }
    expect(open.find(({ Action }) => Action.includes('kms:CreateGrant'))?.Condition).toMatchObject({
      Bool: { 'kms:GrantIsForAWSResource': [true] },
    });
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
