import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DATABASE, TABLES } from '../../lib/domain/lake.ts';
import { ENVIRONMENT, FUNCTION_NAMES } from '../../lib/domain/operations.ts';
import { runSettingsSchema } from '../../lib/domain/run.ts';
import { type StackName, synthesize } from '../support/synthesize.ts';
import { flatten, type PolicyDocument, policyDocuments, principals } from './policies.ts';

const { template, configuration } = synthesize();
const STACKS: readonly StackName[] = ['storage', 'network', 'compute', 'pipeline'];

const resourceSchema = z.looseObject({
  Properties: z.record(z.string(), z.unknown()).optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
type Resource = z.infer<typeof resourceSchema>;

function resources(stack: StackName, type: string): [string, Resource][] {
  return Object.entries(template(stack).findResources(type)).map(([id, found]) => [
    id,
    resourceSchema.parse(found),
  ]);
}

function keyPolicy(): PolicyDocument['Statement'] {
  return policyDocuments(template('storage'))
    .filter(({ type }) => type === 'AWS::KMS::Key')
    .flatMap(({ document }) => document.Statement);
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

  test('the database outlives its stack, but not a first deployment that failed', () => {
    const databases = resources('storage', 'AWS::Glue::Database').map(([, found]) => found);
    expect(databases).toMatchObject([
      { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' },
    ]);
  });

  test('tables that only this stack describes go with it: they could not be taken back into one', () => {
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

  test('the key turns, and lets in only these services, only for this account', () => {
    const [[, key] = ['', undefined]] = resources('storage', 'AWS::KMS::Key');
    expect(key?.Properties).toMatchObject({ EnableKeyRotation: true });
    expect(
      keyPolicy().map(({ Sid, Condition }) => [Sid ?? 'the account itself', ...Object.keys(Condition ?? {})]),
    ).toEqual([
      ['the account itself'],
      ['AlarmsPublishToTheTopic', 'StringEquals'],
      ['RulesWriteToTheDeadLetterQueue'],
      ['LogsOfThisDeployment', 'ArnEquals'],
    ]);
  });

  test('CloudWatch Logs may use the key for the log groups that there are, and no others', () => {
    const logs = keyPolicy().find(({ Sid }) => Sid === 'LogsOfThisDeployment');
    const arns = logs?.Condition?.ArnEquals?.['kms:EncryptionContext:aws:logs:arn'] ?? [];
    const names = STACKS.flatMap((stack) => resources(stack, 'AWS::Logs::LogGroup')).map(
      ([, { Properties }]) =>
        `arn:<Partition>:logs:<Region>:<AccountId>:log-group:${Properties?.LogGroupName}`,
    );
    expect(arns.map(flatten).sort()).toEqual(names.sort());
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
    const [, ...interfaces] = resources('network', 'AWS::EC2::VPCEndpoint');
    for (const [id, { Properties }] of interfaces) {
      expect(Properties, id).toMatchObject({ VpcEndpointType: 'Interface', PrivateDnsEnabled: true });
    }
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

  test('the S3 endpoint serves buckets of this account, and those of AWS that EMR needs', () => {
    const [s3] = policyDocuments(template('network')).filter(({ type }) => type === 'AWS::EC2::VPCEndpoint');
    const statements = s3?.document.Statement.map(({ Sid, Action, Resource = [], Condition }) => ({
      sid: Sid,
      actions: Action.map((action) => String(action).replace(/^s3:/, '')).join(' '),
      resources: Resource.map((resource) => flatten(resource).replace('arn:<Partition>:s3:::', '')),
      conditions: Object.keys(Condition?.StringEquals ?? {}),
    }));
    expect(statements).toEqual([
      {
        sid: 'BucketsOfThisAccount',
        actions:
          'AbortMultipartUpload DeleteObject GetBucketLocation GetObject ListBucket ListBucketMultipartUploads ListMultipartUploadParts PutObject',
        resources: ['*'],
        conditions: ['aws:PrincipalAccount', 's3:ResourceAccount'],
      },
      {
        sid: 'RepositoriesOfAmazonLinuxAndEmr',
        actions: 'GetObject',
        resources: ['al2023-repos-<Region>-de612dc2/*', 'repo.<Region>.emr.amazonaws.com/*'],
        conditions: [],
      },
      {
        sid: 'LogsThatEmrKeepsItself',
        actions: 'PutObject PutObjectAcl PutObjectTagging',
        resources: ['<aws157-logs-prod or aws157-logs-prod-<Region>>/*'],
        conditions: [],
      },
      {
        sid: 'HistoryServersThatEmrKeepsItself',
        actions:
          'AbortMultipartUpload GetObject ListMultipartUploadParts PutObject PutObjectAcl PutObjectTagging',
        resources: ['prod.<Region>.appinfo.src/*'],
        conditions: [],
      },
    ]);
    template('network').hasCondition('*', { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] });
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

  test('the security configuration is named by its content, and the state machine is told the name itself', () => {
    const withCertificates = synthesize({ 'churn:certificatesUri': 's3://certificates/emr.zip' });
    const names = [template, withCertificates.template].map((of) => {
      const [name] = Object.values(of('compute').findResources('AWS::EMR::SecurityConfiguration')).map(
        ({ Properties }) => String(Properties.Name),
      );
      const [machine] = Object.values(of('pipeline').findResources('AWS::StepFunctions::StateMachine'));
      expect(JSON.stringify(machine?.Properties.DefinitionString)).toContain(
        `\\"SecurityConfiguration\\":\\"${name}\\"`,
      );
      return name;
    });
    expect(names).toEqual([
      expect.stringMatching(/^churn-dev-[0-9a-f]{8}$/),
      expect.stringMatching(/^churn-dev-[0-9a-f]{8}$/),
    ]);
    expect(new Set(names)).toHaveProperty('size', 2);
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

  test.each(FUNCTION_NAMES)('Lambda %s is traced, and may write traces and its own log', (name) => {
    template('pipeline').hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: `${configuration.prefix}-${name}`,
      TracingConfig: { Mode: 'Active' },
    });
    const role = `${name.replaceAll('-', '')}roleDefaultPolicy`;
    const allowed = policyDocuments(template('pipeline'))
      .filter(({ resource }) => resource === role)
      .flatMap(({ document }) => document.Statement.flatMap(({ Action }) => Action));
    expect(allowed).toEqual(
      expect.arrayContaining(['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'logs:PutLogEvents']),
    );
  });

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

  test('whoever may send to the dead-letter queue may use its key for it', () => {
    const documents = policyDocuments(template('pipeline'));
    const sends = ({ Effect, Action }: { Effect: string; Action: readonly unknown[] }): boolean =>
      Effect === 'Allow' && Action.includes('sqs:SendMessage');
    const uses = ({ Effect, Action }: { Effect: string; Action: readonly unknown[] }): boolean =>
      Effect === 'Allow' && Action.includes('kms:Decrypt') && Action.includes('kms:GenerateDataKey');
    const roles = documents.filter(
      ({ type, document }) => type === 'AWS::IAM::Policy' && document.Statement.some(sends),
    );
    expect(roles.map(({ resource }) => resource)).toEqual([
      'closerunroleDefaultPolicy',
      'ScheduleRoleDefaultPolicy',
    ]);
    for (const { resource, document } of roles) {
      const keys = document.Statement.filter(uses).flatMap(({ Resource = [] }) => Resource.map(flatten));
      expect(keys, resource).toContain('<Key Arn>');
    }
    const services = documents
      .filter(({ type }) => type === 'AWS::SQS::QueuePolicy')
      .flatMap(({ document }) => document.Statement.filter(sends))
      .flatMap(({ Principal }) => principals(Principal));
    expect(new Set(services)).toEqual(new Set(['events.amazonaws.com']));
    expect(
      keyPolicy()
        .filter(uses)
        .flatMap(({ Principal }) => principals(Principal)),
    ).toEqual(expect.arrayContaining(services));
  });

  test('the schedule may start this state machine, keep what it could not start, and nothing else', () => {
    const own = policyDocuments(template('pipeline')).find(
      ({ resource }) => resource === 'ScheduleRoleDefaultPolicy',
    );
    expect(
      own?.document.Statement.flatMap(({ Action, Resource = [] }) =>
        Action.map((action) => `${action} ${Resource.map(flatten)}`),
      ).sort(),
    ).toEqual([
      'kms:Decrypt <Key Arn>',
      'kms:Decrypt <Key Arn>',
      'kms:GenerateDataKey <Key Arn>',
      'sqs:SendMessage <DeadLetters Arn>',
      'states:StartExecution <StateMachine>',
    ]);
    template('pipeline').hasResourceProperties('AWS::Scheduler::Schedule', {
      Target: { RoleArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ScheduleRole'), 'Arn'] } },
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

test('no log group is left over to stand in the way of the next deployment', () => {
  const groups = STACKS.flatMap((stack) => resources(stack, 'AWS::Logs::LogGroup'));
  expect(groups).toHaveLength(FUNCTION_NAMES.length + 2);
  for (const [id, { DeletionPolicy }] of groups) expect(DeletionPolicy, id).toBe('Delete');
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
