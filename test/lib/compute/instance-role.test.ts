import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { describe, expect, test } from 'vitest';
import { InstanceRole, type InstanceRoleProps } from '../../../lib/compute/instance-role.ts';
import { alone } from '../../support/construct-alone.ts';
import { allActions } from '../policies.ts';

function instanceRole(changed: Partial<InstanceRoleProps> = {}) {
  return alone('compute', (stack, { key, bucket }) => {
    const role = new InstanceRole(stack, 'InstanceRole', {
      key,
      rawBucket: bucket('RawEvents'),
      lakeBucket: bucket('Lake'),
      logBucket: bucket('ClusterLogs'),
      databaseName: 'churn_dev_0a1b2c3d',
      rawPrefix: 'events',
      ...changed,
    });
    role.readAssets(new Asset(stack, 'Asset', { path: import.meta.filename }), '.py');
  });
}

describe('the role of the instances', () => {
  const { template, findings } = instanceRole();
  const allowed = allActions(template);

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('passes cdk-nag with any bucket and prefix of the event log', () => {
    const elsewhere = alone('compute', (stack, { key, bucket }) => {
      new InstanceRole(stack, 'InstanceRole', {
        key,
        rawBucket: bucket('events-of-the-shop'),
        lakeBucket: bucket('Lake'),
        logBucket: bucket('ClusterLogs'),
        databaseName: 'churn_dev_0a1b2c3d',
        rawPrefix: 'log/v1',
      });
    });
    expect(elsewhere.findings).toEqual([]);
  });

  test('reads event files, scripts of any deployment and the lake, and nothing else', () => {
    expect([...(allowed.get('s3:GetObject') ?? [])].sort()).toEqual([
      'arn:aws:s3:::ClusterLogs/*',
      'arn:aws:s3:::Lake/*',
      'arn:aws:s3:::RawEvents/events/*',
      'arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-central-1/*.py',
    ]);
  });

  test('writes the lake and logs, but not the event log', () => {
    for (const action of ['s3:PutObject', 's3:DeleteObject'])
      expect(allowed.get(action)).toEqual(['arn:aws:s3:::ClusterLogs/*', 'arn:aws:s3:::Lake/*']);
  });

  test('reads the certificates where there are any', () => {
    const { template: withThem } = instanceRole({ certificatesUri: 's3://certificates/emr.zip' });
    expect(allActions(withThem).get('s3:GetObject')).toContainEqual(
      expect.stringMatching(/:s3:::certificates\/emr\.zip$/),
    );
  });

  test('uses the key of the event log too where it has one', () => {
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d';
    const { template: withKey } = alone('compute', (stack, { key, bucket }) => {
      new InstanceRole(stack, 'InstanceRole', {
        key,
        rawBucket: Bucket.fromBucketAttributes(stack, 'Raw', {
          bucketName: 'raw',
          encryptionKey: Key.fromKeyArn(stack, 'RawKey', keyArn),
        }),
        lakeBucket: bucket('Lake'),
        logBucket: bucket('ClusterLogs'),
        databaseName: 'churn_dev_0a1b2c3d',
        rawPrefix: 'events',
      });
    });
    expect(allActions(withKey).get('kms:Decrypt')).toContain(keyArn);
  });
});
