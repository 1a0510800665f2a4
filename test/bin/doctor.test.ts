import {
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
} from '@aws-sdk/client-ec2';
import { GetBlockPublicAccessConfigurationCommand } from '@aws-sdk/client-emr';
import { GetRoleCommand, NoSuchEntityException } from '@aws-sdk/client-iam';
import { GetDataLakeSettingsCommand } from '@aws-sdk/client-lakeformation';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { HeadBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { GetServiceQuotaCommand } from '@aws-sdk/client-service-quotas';
import { DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import { GetTopicAttributesCommand, PublishCommand } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { runChecks } from '../../bin/commands/deployed/doctor/checks.ts';
import { doctorClients } from '../../bin/commands/deployed/doctor/clients.ts';
import { readFacts } from '../../bin/commands/deployed/doctor/facts.ts';
import { findingsText, isHealthy } from '../../bin/commands/deployed/doctor/text.ts';
import { ENVIRONMENT } from '../../domain/operations.ts';
import type { Finding } from '../../domain/preflight.ts';

const PLACE = 'eu-central-1:111122223333';
const MACHINE = `arn:aws:states:${PLACE}:stateMachine:churn-dev`;
const NOTIFIER = `${MACHINE}-notifier`;
const OWN_TOPIC = `arn:aws:sns:${PLACE}:churn-dev-notifications`;
const ONCALL = `arn:aws:sns:${PLACE}:oncall`;
const EMR_TAG = { Key: 'for-use-with-amazon-emr-managed-policies', Value: 'true' };
const ALARMS_ALLOWED = JSON.stringify({
  Statement: [{ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' }, Action: 'sns:Publish' }],
});

/** The account of a deployment that lacks nothing; each answer may be replaced. */
function account(topicArn = OWN_TOPIC) {
  const clients = doctorClients('eu-central-1');
  const mocks = {
    ec2: mockClient(clients.ec2),
    emr: mockClient(clients.emr),
    iam: mockClient(clients.iam),
    lakeFormation: mockClient(clients.lakeFormation),
    lambda: mockClient(clients.lambda),
    quotas: mockClient(clients.quotas),
    s3: mockClient(clients.s3),
    sns: mockClient(clients.sns),
    stepFunctions: mockClient(clients.stepFunctions),
  };
  mocks.lambda.on(GetFunctionConfigurationCommand, { FunctionName: 'churn-dev-start-training' }).resolves({
    Environment: {
      Variables: {
        [ENVIRONMENT.lakeRoot]: 's3://lake',
        [ENVIRONMENT.database]: 'churn_dev_0a1b2c3d',
        [ENVIRONMENT.eventsRoot]: 's3://raw/events',
        [ENVIRONMENT.release]: '0123456789abcdef',
        [ENVIRONMENT.trainingRelease]: '0123456789abcdef',
        [ENVIRONMENT.subnetIds]: 'subnet-1,subnet-2',
        [ENVIRONMENT.fleets]: '{}',
        [ENVIRONMENT.notifierArn]: NOTIFIER,
      },
    },
  });
  const groups = {
    EmrManagedMasterSecurityGroup: 'sg-1',
    EmrManagedSlaveSecurityGroup: 'sg-2',
    ServiceAccessSecurityGroup: 'sg-3',
  };
  const definition = (states: unknown) => ({
    stateMachineArn: MACHINE,
    name: 'churn-dev',
    definition: JSON.stringify({ States: states }),
    roleArn: 'arn:aws:iam::111122223333:role/x',
    type: 'STANDARD' as const,
    creationDate: new Date(0),
  });
  mocks.stepFunctions
    .on(DescribeStateMachineCommand, { stateMachineArn: MACHINE })
    .resolves(
      definition({
        UseCluster: { Branches: [{ States: { CreateCluster: { Parameters: { Instances: groups } } } }] },
      }),
    )
    .on(DescribeStateMachineCommand, { stateMachineArn: NOTIFIER })
    .resolves(definition({ Publish: { Parameters: { TopicArn: topicArn } } }));
  mocks.quotas.on(GetServiceQuotaCommand).resolves({ Quota: { Value: 64 } });
  mocks.ec2
    .on(DescribeInstancesCommand)
    .resolves({})
    .on(DescribeSubnetsCommand)
    .resolves({ Subnets: ['subnet-1', 'subnet-2'].map((SubnetId) => ({ SubnetId, Tags: [EMR_TAG] })) })
    .on(DescribeSecurityGroupsCommand, { GroupIds: ['sg-1', 'sg-2', 'sg-3'] })
    .resolves({
      SecurityGroups: ['sg-1', 'sg-2', 'sg-3'].map((GroupId) => ({
        GroupId,
        Tags: [EMR_TAG],
        IpPermissions: [],
      })),
    });
  mocks.iam.on(GetRoleCommand).resolves({});
  mocks.emr.on(GetBlockPublicAccessConfigurationCommand).resolves({
    BlockPublicAccessConfiguration: {
      BlockPublicSecurityGroupRules: true,
      PermittedPublicSecurityGroupRuleRanges: [{ MinRange: 22 }],
    },
  });
  const open = [
    {
      Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' },
      Permissions: ['ALL' as const],
    },
  ];
  mocks.lakeFormation.on(GetDataLakeSettingsCommand).resolves({
    DataLakeSettings: { CreateDatabaseDefaultPermissions: open, CreateTableDefaultPermissions: open },
  });
  mocks.s3
    .on(HeadBucketCommand)
    .resolves({ BucketRegion: 'eu-central-1' })
    .on(ListObjectsV2Command)
    .resolves({})
    .on(ListObjectsV2Command, { Prefix: 'events/' })
    .resolves({ Contents: [{ Key: 'events/a.json', ETag: '"1"', Size: 1.3e9 }] });
  mocks.sns
    .on(GetTopicAttributesCommand, { TopicArn: topicArn })
    .resolves({
      Attributes: { Policy: ALARMS_ALLOWED, SubscriptionsConfirmed: '1', SubscriptionsPending: '0' },
    })
    .on(PublishCommand)
    .resolves({ MessageId: 'm' });
  const examine = async (notify = true): Promise<readonly Finding[]> =>
    runChecks(await readFacts(MACHINE, clients), clients, { pipeline: 'churn-dev', notify });
  return { mocks, examine };
}

/** Those that are not ok. */
const remarks = (findings: readonly Finding[]) => findings.filter(({ status }) => status !== 'ok');

describe('an account that lacks nothing', () => {
  it('passes every check', async () => {
    const findings = await account().examine();
    expect(remarks(findings)).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      'quota Running On-Demand Standard instances',
      'quota All Standard Spot Instance Requests',
      'role AWSServiceRoleForEMRCleanup',
      'role AWSServiceRoleForEC2Spot',
      'tags of the subnets',
      'tags of the security groups',
      'block public access of EMR',
      'defaults of Lake Formation',
      'Region of the bucket raw',
      'Region of the bucket lake',
      'event files at s3://raw/events',
      'subscribers of the topic',
      'policy of the topic',
      'key of the topic',
    ]);
    expect(findingsText(findings)).toMatch(/^ok +event files at s3:\/\/raw\/events: 1, 1\.3 GB$/m);
    expect(findingsText(findings)).toMatch(/No problem was found\.\n$/);
  });
});

describe('a problem', () => {
  type Break = (mocks: ReturnType<typeof account>['mocks']) => unknown;
  const group = (more: object) => ({ GroupId: 'sg-2', Tags: [EMR_TAG], ...more });
  const open = (FromPort: number) => ({
    IpPermissions: [{ IpProtocol: 'tcp', FromPort, ToPort: FromPort, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  });
  const topic = (more: Record<string, string>) => ({
    Attributes: { Policy: ALARMS_ALLOWED, SubscriptionsConfirmed: '1', ...more },
  });

  it.each<[string, boolean, RegExp, RegExp, Break]>([
    [
      'a quota',
      true,
      /L-1216C47A allows 5 vCPUs, 0 are in use, and the cluster needs 12/,
      /ask for 12 vCPUs/,
      ({ quotas }) =>
        quotas.on(GetServiceQuotaCommand, { QuotaCode: 'L-1216C47A' }).resolves({ Quota: { Value: 5 } }),
    ],
    [
      'a role',
      true,
      /EMRCleanup|does not exist/,
      /create-service-linked-role/,
      ({ iam }) =>
        iam
          .on(GetRoleCommand, { RoleName: 'AWSServiceRoleForEMRCleanup' })
          .rejects(new NoSuchEntityException({ message: 'none', $metadata: {} })),
    ],
    [
      'the tag of a security group',
      true,
      /^sg-2 lack the tag/,
      /create-tags --resources sg-2 /,
      ({ ec2 }) => ec2.on(DescribeSecurityGroupsCommand).resolves({ SecurityGroups: [group({ Tags: [] })] }),
    ],
    [
      'a rule that is open to the internet',
      false,
      /is on, and sg-2 \(ports 8088 to 8088\) are open/,
      /remove these rules/,
      ({ ec2 }) => ec2.on(DescribeSecurityGroupsCommand).resolves({ SecurityGroups: [group(open(8088))] }),
    ],
    [
      'Lake Formation',
      false,
      /guards new tables:/,
      /Use only IAM access control.*"Name":"churn_dev_0a1b2c3d"/,
      ({ lakeFormation }) =>
        lakeFormation.on(GetDataLakeSettingsCommand).resolves({
          DataLakeSettings: {
            CreateDatabaseDefaultPermissions: [
              {
                Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' },
                Permissions: ['ALL'],
              },
            ],
            CreateTableDefaultPermissions: [],
          },
        }),
    ],
    [
      'a bucket in another Region',
      true,
      /it is in eu-west-1/,
      /use a bucket in eu-central-1, or deploy in eu-west-1/,
      ({ s3 }) => s3.on(HeadBucketCommand, { Bucket: 'raw' }).resolves({ BucketRegion: 'eu-west-1' }),
    ],
    [
      'no event files',
      true,
      /there are none/,
      /upload the log/,
      ({ s3 }) => s3.on(ListObjectsV2Command).resolves({}),
    ],
    [
      'an e-mail that was not confirmed',
      false,
      /1 not confirmed, so nobody is notified/,
      /confirm/,
      ({ sns }) =>
        sns
          .on(GetTopicAttributesCommand)
          .resolves(topic({ SubscriptionsConfirmed: '0', SubscriptionsPending: '1' })),
    ],
    [
      'nobody who is subscribed',
      false,
      /there are none, so nobody is notified/,
      /churn:alarmEmail/,
      ({ sns }) => sns.on(GetTopicAttributesCommand).resolves(topic({ SubscriptionsConfirmed: '0' })),
    ],
    [
      'a topic that alarms may not use',
      false,
      /does not let CloudWatch publish/,
      /sns:Publish/,
      ({ sns }) =>
        sns.on(GetTopicAttributesCommand).resolves(
          topic({
            Policy: JSON.stringify({
              Statement: [
                { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sns:*' },
              ],
            }),
          }),
        ),
    ],
    [
      "a topic under SNS's own key",
      false,
      /alarms are lost without an error/,
      /customer key/,
      ({ sns }) => sns.on(GetTopicAttributesCommand).resolves(topic({ KmsMasterKeyId: 'alias/aws/sns' })),
    ],
  ])('with %s is found, with what to do', async (_, stopsRuns, found, whatToDo, breakIt) => {
    const { mocks, examine } = account();
    breakIt(mocks);
    const findings = await examine();
    expect(remarks(findings)).toEqual([
      expect.objectContaining({
        status: 'problem',
        stopsRuns,
        found: expect.stringMatching(found),
        whatToDo: expect.stringMatching(whatToDo),
      }),
    ]);
    expect(isHealthy(findings)).toBe(false);
    expect(findingsText(findings)).toMatch(
      stopsRuns ? /1 problem: 1 of them stops every run/ : /1 problem: none of them stops a run/,
    );
  });

  it('is not a port that EMR permits', async () => {
    const { mocks, examine } = account();
    mocks.ec2.on(DescribeSecurityGroupsCommand).resolves({ SecurityGroups: [group(open(22))] });
    expect(remarks(await examine())).toEqual([]);
  });

  it("is not SNS's own first policy, which alarms of the account may use", async () => {
    const { mocks, examine } = account();
    const Policy = JSON.stringify({
      Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: ['SNS:Publish', 'SNS:Subscribe'] }],
    });
    mocks.sns.on(GetTopicAttributesCommand).resolves(topic({ Policy }));
    expect(remarks(await examine())).toEqual([]);
  });
});

describe('a question without an answer', () => {
  it('is shown as such, is no problem, and hinders no other', async () => {
    const { mocks, examine } = account();
    const denied = Object.assign(new Error('not you'), { name: 'AccessDeniedException' });
    mocks.quotas.on(GetServiceQuotaCommand).rejects(denied);
    mocks.s3.on(ListObjectsV2Command).rejects(denied);
    const findings = await examine();
    expect(remarks(findings)).toEqual([
      expect.objectContaining({ check: 'quotas of EC2', status: 'unknown' }),
      expect.objectContaining({ check: 'event files at s3://raw/events', status: 'unknown' }),
    ]);
    expect(isHealthy(findings)).toBe(true);
    expect(findingsText(findings)).toMatch(/^not known +quotas of EC2: These credentials do not have/m);
    expect(findingsText(findings)).toMatch(/No problem was found\. 2 could not be checked\.\n$/);
  });

  it('about the deployment itself ends the command with what to do', async () => {
    const { mocks, examine } = account();
    mocks.lambda.on(GetFunctionConfigurationCommand).resolves({
      Environment: { Error: { ErrorCode: 'AccessDeniedException', Message: 'Lambda was unable to decrypt' } },
    });
    await expect(examine()).rejects.toThrow(/churn-dev-start-training cannot be read.*kms:Decrypt/);
  });
});

describe('a test message', () => {
  it('is sent to a topic that belongs to others, unless it is not wanted', async () => {
    const { mocks, examine } = account(ONCALL);
    expect(remarks(await examine(false))).toEqual([]);
    expect(mocks.sns.commandCalls(PublishCommand)).toHaveLength(0);
    const findings = await examine();
    expect(findings.at(-1)).toMatchObject({ check: `test message to ${ONCALL}`, status: 'ok' });
    expect(mocks.sns.commandCalls(PublishCommand)[0]?.args[0].input).toMatchObject({
      TopicArn: ONCALL,
      Subject: 'churn-dev: test message',
    });
  });

  it("is not sent to the deployment's own topic", async () => {
    const { mocks, examine } = account();
    await examine();
    expect(mocks.sns.commandCalls(PublishCommand)).toHaveLength(0);
  });

  it('that is refused is a problem', async () => {
    const { mocks, examine } = account(ONCALL);
    mocks.sns.on(PublishCommand).rejects(Object.assign(new Error('no'), { name: 'AuthorizationError' }));
    expect(remarks(await examine())).toEqual([
      expect.objectContaining({ status: 'problem', found: 'AuthorizationError: no' }),
    ]);
  });
});
