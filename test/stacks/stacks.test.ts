import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DATABASE, TABLES } from '../../lib/domain/lake.ts';
import { ENVIRONMENT, FUNCTION_NAMES } from '../../lib/domain/operations.ts';
import { runSettingsSchema } from '../../lib/domain/run.ts';
import { type StackName, synthesize } from '../support/synthesize.ts';

const { template, configuration } = synthesize();
const STACKS: readonly StackName[] = ['storage', 'network', 'compute', 'pipeline'];

const resourceSchema = z.looseObject({
  Properties: z.record(z.string(), z.unknown()).optional(),
  DeletionPolicy: z.string().optional(),
});
type Resource = z.infer<typeof resourceSchema>;

const keyPolicySchema = z.looseObject({
  KeyPolicy: z.looseObject({
    Statement: z.array(
      z.looseObject({ Sid: z.string().optional(), Condition: z.record(z.string(), z.unknown()).optional() }),
    ),
  }),
});

function resources(stack: StackName, type: string): [string, Resource][] {
  return Object.entries(template(stack).findResources(type)).map(([id, found]) => [
    id,
    resourceSchema.parse(found),
  ]);
}

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

  test('no bucket answers without TLS', () => {
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
        DatabaseName: DATABASE,
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

  test('the key turns, and lets in only these services, only for this account', () => {
    const [[, key] = ['', undefined]] = resources('storage', 'AWS::KMS::Key');
    expect(key?.Properties).toMatchObject({ EnableKeyRotation: true });
    const policy = keyPolicySchema.parse(key?.Properties).KeyPolicy.Statement;
    expect(
      policy.map(({ Sid, Condition }) => [Sid ?? 'the account itself', ...Object.keys(Condition ?? {})]),
    ).toEqual([
      ['the account itself'],
      ['AlarmsPublishToTheTopic', 'StringEquals'],
      ['RulesWriteToTheDeadLetterQueue'],
      ['LogsOfThisDeployment', 'ArnLike'],
    ]);
  });
});

describe('network', () => {
  test('leads nowhere but to S3, Glue and KMS', () => {
    const network = template('network');
    network.resourceCountIs('AWS::EC2::InternetGateway', 0);
    network.resourceCountIs('AWS::EC2::NatGateway', 0);
    expect(
      resources('network', 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) =>
        JSON.stringify(Properties?.ServiceName),
      ),
    ).toEqual([
      expect.stringContaining('.s3'),
      expect.stringContaining('.glue'),
      expect.stringContaining('.kms'),
    ]);
    for (const type of ['Interface', 'Interface'])
      network.hasResourceProperties('AWS::EC2::VPCEndpoint', {
        VpcEndpointType: type,
        PrivateDnsEnabled: true,
      });
  });

  test('spans two zones, and looks none up', () => {
    expect(resources('network', 'AWS::EC2::Subnet')).toHaveLength(2);
    expect(synthesize().assembly.manifest.missing ?? []).toEqual([]);
  });

  test('what EMR uses carries its tag', () => {
    for (const type of ['AWS::EC2::VPC', 'AWS::EC2::Subnet', 'AWS::EC2::SecurityGroup']) {
      for (const [id, { Properties }] of resources('network', type)) {
        expect(Properties?.Tags, id).toContainEqual({
          Key: 'for-use-with-amazon-emr-managed-policies',
          Value: 'true',
        });
      }
    }
  });

  test('security groups have every rule of EMR as a resource of its own, in both directions', () => {
    const ports = (type: string): string[] =>
      resources('network', type)
        .map(
          ([, { Properties = {} }]) => `${Properties.IpProtocol} ${Properties.FromPort}-${Properties.ToPort}`,
        )
        .sort();
    const everything = ['icmp -1--1', 'tcp 0-65535', 'udp 0-65535'].flatMap((rule) => [
      rule,
      rule,
      rule,
      rule,
    ]);
    const expected = [...everything, 'tcp 8443-8443', 'tcp 8443-8443', 'tcp 9443-9443'].sort();
    expect(ports('AWS::EC2::SecurityGroupEgress')).toEqual(expected);
    // The interface endpoints admit the primary and the workers, besides.
    expect(ports('AWS::EC2::SecurityGroupIngress')).toEqual(
      [...expected, 'tcp 443-443', 'tcp 443-443'].sort(),
    );
  });

  test('the S3 endpoint serves buckets of this account, and reads those of Amazon Linux and EMR', () => {
    const policy = JSON.stringify(
      resources('network', 'AWS::EC2::VPCEndpoint').map(
        ([, { Properties }]) => Properties?.PolicyDocument ?? null,
      ),
    );
    expect(policy).toContain('s3:ResourceAccount');
    expect(policy).toContain('-de612dc2');
    expect(policy).toContain('emr.amazonaws.com');
  });
});

describe('compute', () => {
  test('encrypts disks and objects, and asks for IMDSv2', () => {
    template('compute').hasResourceProperties('AWS::EMR::SecurityConfiguration', {
      SecurityConfiguration: {
        EncryptionConfiguration: {
          EnableAtRestEncryption: true,
          EnableInTransitEncryption: false,
          AtRestEncryptionConfiguration: {
            S3EncryptionConfiguration: { EncryptionMode: 'SSE-KMS' },
            LocalDiskEncryptionConfiguration: {
              EncryptionKeyProviderType: 'AwsKms',
              EnableEbsEncryption: true,
            },
          },
        },
        InstanceMetadataServiceConfiguration: {
          MinimumInstanceMetadataServiceVersion: 2,
          HttpPutResponseHopLimit: 1,
        },
      },
    });
  });

  test('the instance profile is named as its role', () => {
    const [[, profile] = ['', undefined]] = resources('compute', 'AWS::IAM::InstanceProfile');
    expect(profile?.Properties?.Roles).toEqual([profile?.Properties?.InstanceProfileName]);
  });

  test("EMR may use the key for this account's volumes only", () => {
    template('compute').hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'kms:CreateGrant',
            Condition: { Bool: { 'kms:GrantIsForAWSResource': true } },
          }),
        ]),
      },
    });
  });
});

describe('pipeline', () => {
  test.each(FUNCTION_NAMES)(
    'Lambda %s runs on Node 22 and arm64, knows its deployment, and keeps its settings under the key',
    (name) => {
      template('pipeline').hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: `${configuration.prefix}-${name}`,
        Runtime: 'nodejs22.x',
        Architectures: ['arm64'],
        KmsKeyArn: Match.anyValue(),
        Environment: {
          Variables: Match.objectLike({
            [ENVIRONMENT.lakeRoot]: Match.anyValue(),
            [ENVIRONMENT.eventsRoot]: Match.anyValue(),
            [ENVIRONMENT.runSettings]: JSON.stringify(runSettingsSchema.parse({})),
            [ENVIRONMENT.pipelineName]: configuration.prefix,
            [ENVIRONMENT.fleets]: JSON.stringify({
              primary: configuration.primaryInstanceTypes,
              core: configuration.coreInstanceTypes,
              task: configuration.taskInstanceTypes,
            }),
            [ENVIRONMENT.subnetIds]: Match.anyValue(),
            [ENVIRONMENT.topicArn]: Match.anyValue(),
            [ENVIRONMENT.stateMachineArn]: Match.anyValue(),
          }),
        },
      });
    },
  );

  test('the topic takes alarms, under the customer key', () => {
    template('pipeline').hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    template('pipeline').hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
          }),
        ],
      },
    });
  });

  test('every bad ending reaches close-run, by event and by sweep', () => {
    template('pipeline').hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue() })],
    });
    template('pipeline').hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(15 minutes)',
      Targets: [Match.objectLike({ Input: '{"sweep":true}' })],
    });
  });

  test('the schedule is off in dev, starts with an empty request, and keeps what it could not start', () => {
    template('pipeline').hasResourceProperties('AWS::Scheduler::Schedule', {
      State: 'DISABLED',
      ScheduleExpression: 'cron(0 3 ? * MON *)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      Target: { Input: '{}', DeadLetterConfig: Match.anyValue() },
    });
  });

  test('the state machine has a fixed name, logs everything and is traced', () => {
    template('pipeline').hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: configuration.prefix,
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
      TracingConfiguration: { Enabled: true },
    });
  });
});

test('in dev, where there is no schedule, nobody is told that none has run', () => {
  const names = resources('monitoring', 'AWS::CloudWatch::Alarm').map(
    ([, { Properties }]) => Properties?.AlarmName,
  );
  expect(names).toContain('churn-dev-run-failed');
  expect(names).not.toContain('churn-dev-no-successful-run');
});

test('every log group is under the customer key and is not kept for ever', () => {
  for (const stack of STACKS) {
    for (const [id, { Properties }] of resources(stack, 'AWS::Logs::LogGroup')) {
      expect(Properties, id).toMatchObject({ KmsKeyId: expect.anything(), RetentionInDays: 30 });
    }
  }
});

test.each([
  ['storage', 'AWS::S3::Bucket'],
  ['network', 'AWS::EC2::VPC'],
  ['compute', 'AWS::IAM::Role'],
  ['pipeline', 'AWS::StepFunctions::StateMachine'],
] as const)('what stack %s makes (%s) says which pipeline it belongs to', (stack, type) => {
  for (const [id, { Properties }] of resources(stack, type)) {
    expect(Properties?.Tags, id).toContainEqual({ Key: 'churn:pipeline', Value: configuration.prefix });
  }
});
