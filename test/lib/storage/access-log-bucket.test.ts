import { RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { AccessLogBucket } from '../../../lib/storage/access-log-bucket.ts';
import { DataBucket } from '../../../lib/storage/data-bucket.ts';
import { alone } from '../../support/construct-alone.ts';

const KEPT = { removalPolicy: RemovalPolicy.RETAIN, autoDeleteObjects: false } as const;

const { template, findings } = alone('storage', (stack, { key }) => {
  const { bucket: accessLogs } = new AccessLogBucket(stack, 'AccessLogs', { ...KEPT, keepDays: 30 });
  // cdk-nag asks a bucket for access logs of its own, unless another one logs to it.
  new DataBucket(stack, 'Lake', { ...KEPT, key, accessLogs });
});

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
