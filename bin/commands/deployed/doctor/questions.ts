/** The questions of `churn doctor` to AWS, each with its answer as plain data. */
import { DescribeSecurityGroupsCommand, type EC2Client, type IpPermission } from '@aws-sdk/client-ec2';
import { type EMRClient, GetBlockPublicAccessConfigurationCommand } from '@aws-sdk/client-emr';
import {
  GetDataLakeSettingsCommand,
  type LakeFormationClient,
  type PrincipalPermissions,
} from '@aws-sdk/client-lakeformation';
import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetTopicAttributesCommand, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { fileKind } from '../../../../domain/event-files.ts';
import { isEmrTag } from '../../../../lambda/aws/aws-account.ts';
import { S3Objects } from '../../../../lambda/aws/s3-objects.ts';
import type { CatalogDefaults, EventLog, OpenPorts, PublicAccess } from './findings.ts';
import type { TopicAttributes } from './topic.ts';

const EVERYBODY: readonly string[] = ['0.0.0.0/0', '::/0'];
const ALL_PORTS = { from: 0, to: 65_535 } as const;

export interface SecurityGroups {
  readonly untagged: readonly string[];
  readonly open: readonly OpenPorts[];
}

export async function securityGroups(client: EC2Client, ids: readonly string[]): Promise<SecurityGroups> {
  const command = new DescribeSecurityGroupsCommand({ GroupIds: [...ids] });
  const { SecurityGroups: groups = [] } = await client.send(command);
  return {
    untagged: groups.filter(({ Tags = [] }) => !Tags.some(isEmrTag)).flatMap(({ GroupId }) => GroupId ?? []),
    open: groups.flatMap(({ GroupId: groupId = '', IpPermissions = [] }) =>
      IpPermissions.filter(isOpen).map(({ FromPort = ALL_PORTS.from, ToPort = ALL_PORTS.to }) => ({
        groupId,
        from: FromPort,
        to: ToPort,
      })),
    ),
  };
}

function isOpen({ IpRanges = [], Ipv6Ranges = [] }: IpPermission): boolean {
  const sources = [...IpRanges.map(({ CidrIp }) => CidrIp), ...Ipv6Ranges.map(({ CidrIpv6 }) => CidrIpv6)];
  return sources.some((source) => source !== undefined && EVERYBODY.includes(source));
}

export async function publicAccess(client: EMRClient): Promise<PublicAccess> {
  const { BlockPublicAccessConfiguration: configuration } = await client.send(
    new GetBlockPublicAccessConfigurationCommand({}),
  );
  return {
    isBlocked: configuration?.BlockPublicSecurityGroupRules ?? false,
    permitted: (configuration?.PermittedPublicSecurityGroupRuleRanges ?? []).map(
      ({ MinRange = 0, MaxRange = MinRange }) => ({ from: MinRange, to: MaxRange }),
    ),
  };
}

export async function catalogDefaults(client: LakeFormationClient): Promise<CatalogDefaults> {
  const { DataLakeSettings: settings } = await client.send(new GetDataLakeSettingsCommand({}));
  return {
    databases: isLeftToIam(settings?.CreateDatabaseDefaultPermissions),
    tables: isLeftToIam(settings?.CreateTableDefaultPermissions),
  };
}

function isLeftToIam(permissions: readonly PrincipalPermissions[] = []): boolean {
  return permissions.some(
    ({ Principal, Permissions = [] }) =>
      Principal?.DataLakePrincipalIdentifier === 'IAM_ALLOWED_PRINCIPALS' && Permissions.includes('ALL'),
  );
}

export async function bucketRegion(client: S3Client, bucket: string): Promise<string | undefined> {
  return (await client.send(new HeadBucketCommand({ Bucket: bucket }))).BucketRegion;
}

/** The files by their endings; PlanRun looks more closely. */
export async function eventLog(client: S3Client, root: string): Promise<EventLog> {
  const files = (await new S3Objects(client).list(root)).filter(
    ({ uri, bytes }) => fileKind(uri.slice(uri.lastIndexOf('/') + 1), bytes).kind !== 'passed over',
  );
  return { root, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

export async function topicAttributes(client: SNSClient, topicArn: string): Promise<TopicAttributes> {
  return (await client.send(new GetTopicAttributesCommand({ TopicArn: topicArn }))).Attributes ?? {};
}

export async function publishTest(client: SNSClient, topicArn: string, pipeline: string): Promise<void> {
  await client.send(
    new PublishCommand({
      TopicArn: topicArn,
      Subject: `${pipeline}: test message`,
      Message:
        `This is a test message of \`churn doctor\`. Runs and alarms of the churn pipeline ${pipeline} will be ` +
        'reported here. There is nothing to do.',
    }),
  );
}
