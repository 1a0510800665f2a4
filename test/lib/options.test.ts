/** What a deployment may choose, seen in the templates. */
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { synthesize } from '../support/synthesize.ts';
import { allActions } from './policies.ts';

const { template } = synthesize({
  'churn:stage': 'prod',
  'churn:rawBucket': 'events-of-the-shop',
  'churn:rawBucketKeyArn': 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d',
  'churn:rawPrefix': 'log/v1',
  'churn:vpcId': 'vpc-0123abcd',
  'churn:subnetIds': 'subnet-0a,subnet-0b',
  'churn:certificatesUri': 's3://certificates/emr.zip',
  'churn:nodeLabels': 'false',
  'churn:alarmEmail': 'oncall@example.com',
  'churn:scheduleTimeZone': 'Europe/Berlin',
  'churn:deleteData': 'true',
  'churn:confirmDeleteData': 'churn-prod',
});

test('an existing bucket is read with its key, and none is made', () => {
  const buckets = Object.keys(template('storage').findResources('AWS::S3::Bucket'));
  expect(buckets.filter((id) => id.startsWith('RawEvents'))).toEqual([]);
  const statements = allActions(template('compute'));
  expect(statements.get('s3:GetObject')?.join()).toContain('events-of-the-shop/log/v1/*');
  expect(statements.get('kms:Decrypt')?.join()).toContain('key/0a1b2c3d');
});

test('an existing VPC gets security groups, and neither subnets nor endpoints', () => {
  const network = template('network');
  network.resourceCountIs('AWS::EC2::VPC', 0);
  network.resourceCountIs('AWS::EC2::Subnet', 0);
  network.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
  network.allResourcesProperties('AWS::EC2::SecurityGroup', { VpcId: 'vpc-0123abcd' });
});

test('certificates turn on EMR’s own encryption in transit, and may be read', () => {
  template('pipeline').hasResourceProperties('AWS::EMR::SecurityConfiguration', {
    SecurityConfiguration: {
      EncryptionConfiguration: {
        EnableInTransitEncryption: true,
        InTransitEncryptionConfiguration: {
          TLSCertificateConfiguration: {
            CertificateProviderType: 'PEM',
            S3Object: 's3://certificates/emr.zip',
          },
        },
      },
    },
  });
  expect(allActions(template('compute')).get('s3:GetObject')?.join()).toContain('certificates/emr.zip');
});

test('node labels of YARN can be switched off', () => {
  const definition = (of: typeof template) =>
    JSON.stringify(of('pipeline').findResources('AWS::StepFunctions::StateMachine'));
  expect(definition(synthesize().template)).toContain('yarn.node-labels.enabled');
  expect(definition(template)).not.toContain('node-labels');
});

test('in prod the schedule is on, in the configured time zone', () => {
  template('pipeline').hasResourceProperties('AWS::Scheduler::Schedule', {
    State: 'ENABLED',
    ScheduleExpressionTimezone: 'Europe/Berlin',
  });
});

test('the configured address is subscribed to the notifications', () => {
  template('pipeline').hasResourceProperties('AWS::SNS::Subscription', {
    Protocol: 'email',
    Endpoint: 'oncall@example.com',
  });
});

test('with both confirmations data is deleted with its stack', () => {
  for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::Glue::Database']) {
    template('storage').allResources(type, Match.objectLike({ DeletionPolicy: 'Delete' }));
  }
});

describe('with an existing topic', () => {
  const topic = 'arn:aws:sns:eu-central-1:111122223333:oncall';
  const key = 'arn:aws:kms:eu-central-1:111122223333:key/4e5f';
  const existing = synthesize({ 'churn:alarmTopicArn': topic, 'churn:alarmTopicKeyArn': key });

  test('alarms and runs are sent to it, and none is made', () => {
    existing.template('pipeline').resourceCountIs('AWS::SNS::Topic', 0);
    existing
      .template('monitoring')
      .allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topic] });
  });

  test('the notifier may publish to it, and use its key', () => {
    const statements = allActions(existing.template('pipeline'));
    expect(statements.get('sns:Publish')).toEqual([topic]);
    expect(statements.get('kms:GenerateDataKey')).toContain(key);
  });
});
