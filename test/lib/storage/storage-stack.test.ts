import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { TABLES } from '../../../domain/lake.ts';
import { CAMPAIGN_TAG } from '../../../domain/lake-objects.ts';
import { synthesize } from '../../support/synthesize.ts';
import { flatten } from '../policies.ts';
import { configuration, keyPolicy, resources, STACKS, template } from '../resources.ts';

describe('storage', () => {
  const buckets = resources('storage', 'AWS::S3::Bucket');

  test.each(buckets)(
    'bucket %s is private, encrypted, and outlives its stack',
    (_, { Properties, DeletionPolicy }) => {
      expect(Properties).toMatchObject({
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: expect.anything(),
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      });
      expect(DeletionPolicy).toBe('Retain');
    },
  );

  test('every bucket but that of the access logs is under the customer key and logged', () => {
    const plain = buckets.filter(([, { Properties }]) => !JSON.stringify(Properties).includes('aws:kms'));
    expect(plain.map(([id]) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual(['AccessLogs']);
    for (const [, { Properties }] of buckets.filter((bucket) => !plain.includes(bucket))) {
      expect(Properties).toHaveProperty('LoggingConfiguration');
    }
  });

  test('lists of users to contact are removed from the lake after the days of the setting', () => {
    template('storage').hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([
          {
            Id: CAMPAIGN_TAG.value,
            Status: 'Enabled',
            ExpirationInDays: configuration.run.campaignDays,
            TagFilters: [{ Key: CAMPAIGN_TAG.key, Value: CAMPAIGN_TAG.value }],
          },
        ]),
      },
    });
  });

  test('every bucket refuses requests without TLS', () => {
    const policies = resources('storage', 'AWS::S3::BucketPolicy').map(([, { Properties }]) =>
      JSON.stringify(Properties),
    );
    expect(policies).toHaveLength(buckets.length);
    for (const policy of policies)
      expect(policy).toContain('"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"');
  });

  test('Glue knows the raw log and the tables kept as JSON, with their columns', () => {
    const expected = [
      'raw_events',
      ...TABLES.filter(({ format }) => format === 'json').map(({ name }) => name),
    ];
    const tables = resources('storage', 'AWS::Glue::Table').map(([, { Properties }]) => Properties);
    expect(tables).toHaveLength(expected.length);
    for (const name of expected) {
      template('storage').hasResourceProperties('AWS::Glue::Table', {
        DatabaseName: { Ref: Match.stringLikeRegexp('^Database') },
        TableInput: { Name: name, TableType: 'EXTERNAL_TABLE' },
      });
    }
    template('storage').hasResourceProperties('AWS::Glue::Table', {
      TableInput: {
        Name: 'raw_events',
        StorageDescriptor: {
          Columns: Match.arrayWith([
            Match.objectLike({ Name: 'ts', Type: 'bigint' }),
            Match.objectLike({ Name: 'userid', Type: 'string' }),
          ]),
        },
      },
    });
  });

  test('the database outlives its stack, but not a first deployment that failed', () => {
    const databases = resources('storage', 'AWS::Glue::Database').map(([, found]) => found);
    expect(databases).toMatchObject([
      { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' },
    ]);
  });

  test('external tables are deleted with the stack: CloudFormation could not import them again', () => {
    for (const [id, { DeletionPolicy }] of resources('storage', 'AWS::Glue::Table')) {
      expect(DeletionPolicy, id).toBeUndefined();
    }
  });

  test('the history of queries does not keep the workgroup from being deleted', () => {
    template('storage').hasResourceProperties('AWS::Athena::WorkGroup', { RecursiveDeleteOption: true });
  });

  test('queries are encrypted, limited, and cannot choose otherwise', () => {
    template('storage').hasResourceProperties('AWS::Athena::WorkGroup', {
      Name: configuration.prefix,
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 200 * 1_073_741_824,
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS' } },
      },
    });
  });

  test('the key rotates, and only these services may use it, only for this account', () => {
    const [[, key] = ['', undefined]] = resources('storage', 'AWS::KMS::Key');
    expect(key?.Properties).toMatchObject({ EnableKeyRotation: true });
    expect(
      keyPolicy().map(({ Sid, Condition }) => [Sid ?? 'the account itself', ...Object.keys(Condition ?? {})]),
    ).toEqual([
      ['the account itself'],
      ['AllowAlarmsToPublish', 'StringEquals'],
      ['AllowEventRulesToSendDeadLetters'],
      ['AllowSpotInstancesToUseVolumes', 'StringEquals', 'ArnEquals'],
      ['AllowSpotInstancesToGrantVolumes', 'StringEquals', 'ArnEquals', 'Bool'],
      ['AllowLogGroupsOfThisDeployment', 'ArnEquals'],
    ]);
  });

  test('CloudWatch Logs may use the key for the log groups of this app, and no others', () => {
    const logs = keyPolicy().find(({ Sid }) => Sid === 'AllowLogGroupsOfThisDeployment');
    const arns = logs?.Condition?.ArnEquals?.['kms:EncryptionContext:aws:logs:arn'] ?? [];
    // The stack of the notebook is there only where it is asked for; its log group is allowed either way.
    const ofNotebook = synthesize({ 'churn:notebook': 'true' }).template('notebook');
    const groups = [
      ...STACKS.flatMap((stack) => resources(stack, 'AWS::Logs::LogGroup').map(([, group]) => group)),
      ...Object.values(ofNotebook.findResources('AWS::Logs::LogGroup')),
    ];
    const names = groups.map(
      ({ Properties }) => `arn:<Partition>:logs:<Region>:<AccountId>:log-group:${Properties?.LogGroupName}`,
    );
    expect(arns.map(flatten).sort()).toEqual(names.sort());
  });
});
