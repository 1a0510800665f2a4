import { RemovalPolicy } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { AccessLogBucket } from '../../../lib/storage/access-log-bucket.ts';
import { EventLog, type ExistingBucket } from '../../../lib/storage/event-log.ts';
import { alone } from '../../support/construct-alone.ts';

const KEPT = { removalPolicy: RemovalPolicy.RETAIN, autoDeleteObjects: false } as const;

function eventLog(existing?: ExistingBucket) {
  let made: EventLog | undefined;
  const { template, findings } = alone('storage', (stack, { key }) => {
    const { bucket: accessLogs } = new AccessLogBucket(stack, 'AccessLogs', { ...KEPT, keepDays: 30 });
    made = new EventLog(stack, 'RawEvents', {
      prefix: 'log/v1',
      existing,
      bucket: {
        key,
        accessLogs,
        ...KEPT,
        keepOldVersionsDays: 14,
      },
    });
  });
  return { template, findings, made };
}

describe('the event log', () => {
  test('passes cdk-nag', () => {
    expect(eventLog().findings).toEqual([]);
  });

  test('is kept in a bucket of its own, whose access logs are below its id', () => {
    eventLog().template.hasResource('AWS::S3::Bucket', {
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        LoggingConfiguration: { LogFilePrefix: 'RawEvents/' },
      },
      DeletionPolicy: 'Retain',
    });
  });

  test('is read from an existing bucket, and its key is known', () => {
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d';
    const { template, made } = eventLog({ name: 'events-of-the-shop', keyArn });
    expect(Object.keys(template.findResources('AWS::S3::Bucket'))).toEqual([
      expect.stringMatching(/^AccessLogs/),
    ]);
    expect(made?.root).toBe('s3://events-of-the-shop/log/v1');
    expect(made?.bucket.encryptionKey?.keyArn).toBe(keyArn);
    expect(eventLog({ name: 'events-of-the-shop' }).made?.bucket.encryptionKey).toBeUndefined();
  });
});
