import { RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { AccessLogBucket } from '../../../lib/storage/access-log-bucket.ts';
import { alone } from '../../support/construct-alone.ts';

const { template, findings } = alone(
  'storage',
  (stack) =>
    new AccessLogBucket(stack, 'AccessLogs', {
      removalPolicy: RemovalPolicy.RETAIN,
      autoDeleteObjects: false,
      keepDays: 30,
    }),
);

test('the bucket of access logs passes cdk-nag', () => {
  expect(findings).toEqual([]);
});

test("the bucket of access logs is encrypted with S3's own key and forgets old logs", () => {
  template.hasResource('AWS::S3::Bucket', {
    Properties: {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LifecycleConfiguration: { Rules: Match.arrayWith([Match.objectLike({ ExpirationInDays: 30 })]) },
    },
    DeletionPolicy: 'Retain',
  });
});
