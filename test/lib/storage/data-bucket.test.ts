import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { AccessLogBucket } from '../../../lib/storage/access-log-bucket.ts';
import { DataBucket } from '../../../lib/storage/data-bucket.ts';
import { alone } from '../../support/construct-alone.ts';

const KEPT = { removalPolicy: RemovalPolicy.RETAIN, autoDeleteObjects: false } as const;

describe('a data bucket', () => {
  const { template, findings } = alone('storage', (stack, { key }) => {
    const { bucket: accessLogs } = new AccessLogBucket(stack, 'AccessLogs', { ...KEPT, keepDays: 30 });
    new DataBucket(stack, 'Lake', { ...KEPT, key, accessLogs, keepOldVersionsDays: 14 });
    new DataBucket(stack, 'Results', {
      ...KEPT,
      key,
      accessLogs,
      lifecycleRules: [{ id: 'old-results', expiration: Duration.days(30) }],
    });
  });
  const buckets = Object.entries(template.findResources('AWS::S3::Bucket')).filter(
    ([id]) => !id.startsWith('AccessLogs'),
  );

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('is private and encrypted with the customer key, and outlives its stack', () => {
    expect(buckets).toHaveLength(2);
    for (const [id, bucket] of buckets) {
      expect(bucket, id).toMatchObject({
        Properties: {
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
          },
          BucketEncryption: {
            ServerSideEncryptionConfiguration: [
              {
                BucketKeyEnabled: true,
                ServerSideEncryptionByDefault: {
                  SSEAlgorithm: 'aws:kms',
                  KMSMasterKeyID: expect.stringMatching(/key\/data$/),
                },
              },
            ],
          },
        },
        DeletionPolicy: 'Retain',
      });
    }
  });

  test('refuses requests without TLS, or with an old version of it', () => {
    for (const Condition of [
      { Bool: { 'aws:SecureTransport': 'false' } },
      { NumericLessThan: { 's3:TlsVersion': 1.2 } },
    ]) {
      template.hasResourceProperties('AWS::S3::BucketPolicy', {
        PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', Condition })]) },
      });
    }
  });

  test('logs its accesses below its own id', () => {
    for (const LogFilePrefix of ['Lake/', 'Results/']) {
      template.hasResourceProperties('AWS::S3::Bucket', {
        LoggingConfiguration: {
          DestinationBucketName: { Ref: Match.stringLikeRegexp('^AccessLogs') },
          LogFilePrefix,
        },
      });
    }
  });

  test('keeps old versions only when asked to, and for as long', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LoggingConfiguration: { LogFilePrefix: 'Lake/' },
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: Match.arrayWith([Match.objectLike({ NoncurrentVersionExpiration: { NoncurrentDays: 14 } })]),
      },
    });
    template.hasResourceProperties('AWS::S3::Bucket', {
      LoggingConfiguration: { LogFilePrefix: 'Results/' },
      VersioningConfiguration: Match.absent(),
      LifecycleConfiguration: { Rules: Match.arrayWith([Match.objectLike({ ExpirationInDays: 30 })]) },
    });
  });
});
