/**
 * What EMR Studio itself may do, as AWS's guide asks for it: network interfaces and security groups that carry the tag of
 * EMR's managed policies, the files of the workspaces, and the secrets that linked Git repositories are read with.
 */
import { Aws } from 'aws-cdk-lib';
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { MANAGED_POLICY_TAG } from '../../domain/operations.ts';
import { arnOf } from '../arns.ts';

export interface StudioServiceRoleProps {
  /** Encrypts the files of the workspaces. */
  readonly key: IKey;
  readonly workspaceBucket: IBucket;
}

export class StudioServiceRole extends Construct {
  readonly role: IRole;

  constructor(scope: Construct, id: string, props: StudioServiceRoleProps) {
    super(scope, id);
    const role = new Role(this, 'Default', {
      assumedBy: new ServicePrincipal('elasticmapreduce.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: { 'aws:SourceArn': arnOf('elasticmapreduce', '*') },
        },
      }),
      description: 'EMR Studio',
    });
    for (const statement of statements(props)) role.addToPolicy(statement);
    this.role = role;
  }
}

const TAG_OF_RESOURCE = {
  StringEquals: { [`aws:ResourceTag/${MANAGED_POLICY_TAG.key}`]: MANAGED_POLICY_TAG.value },
};
const TAG_OF_REQUEST = {
  StringEquals: { [`aws:RequestTag/${MANAGED_POLICY_TAG.key}`]: MANAGED_POLICY_TAG.value },
};

const ec2 = (kind: string): string => arnOf('ec2', `${kind}/*`);

function statements({ key, workspaceBucket }: StudioServiceRoleProps): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'ReadClusters',
      actions: [
        'elasticmapreduce:DescribeCluster',
        'elasticmapreduce:ListInstances',
        'elasticmapreduce:ListSteps',
      ],
      resources: [arnOf('elasticmapreduce', 'cluster/*')],
    }),
    new PolicyStatement({
      sid: 'CreateInterfaces',
      actions: ['ec2:CreateNetworkInterface'],
      resources: [ec2('network-interface')],
      conditions: TAG_OF_REQUEST,
    }),
    new PolicyStatement({
      sid: 'CreateInterfacesInItsNetwork',
      actions: ['ec2:CreateNetworkInterface'],
      resources: [ec2('subnet'), ec2('security-group')],
      conditions: TAG_OF_RESOURCE,
    }),
    new PolicyStatement({
      sid: 'TagNewInterfaces',
      actions: ['ec2:CreateTags'],
      resources: [ec2('network-interface')],
      conditions: { StringEquals: { 'ec2:CreateAction': 'CreateNetworkInterface' } },
    }),
    new PolicyStatement({
      sid: 'UseItsInterfaces',
      actions: ['ec2:CreateNetworkInterfacePermission', 'ec2:DeleteNetworkInterface'],
      resources: [ec2('network-interface')],
      conditions: TAG_OF_RESOURCE,
    }),
    // AWS's guide: this one must stay as it is, without a condition.
    new PolicyStatement({
      sid: 'AddEngineGroupToClusters',
      actions: ['ec2:ModifyNetworkInterfaceAttribute'],
      resources: [ec2('instance'), ec2('network-interface'), ec2('security-group')],
    }),
    new PolicyStatement({
      sid: 'ChangeItsSecurityGroups',
      actions: [
        'ec2:AuthorizeSecurityGroupEgress',
        'ec2:AuthorizeSecurityGroupIngress',
        'ec2:DeleteNetworkInterfacePermission',
        'ec2:RevokeSecurityGroupEgress',
        'ec2:RevokeSecurityGroupIngress',
      ],
      resources: ['*'],
      conditions: TAG_OF_RESOURCE,
    }),
    new PolicyStatement({
      sid: 'DescribeNetwork',
      actions: [
        'ec2:DescribeInstances',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSubnets',
        'ec2:DescribeTags',
        'ec2:DescribeVpcs',
      ],
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'ReadGitSecrets',
      actions: ['secretsmanager:GetSecretValue'],
      resources: [arnOf('secretsmanager', 'secret:emr-studio-*')],
      conditions: TAG_OF_RESOURCE,
    }),
    new PolicyStatement({
      sid: 'ListWorkspaceFiles',
      actions: ['s3:GetEncryptionConfiguration', 's3:ListBucket'],
      resources: [workspaceBucket.bucketArn],
    }),
    new PolicyStatement({
      sid: 'StoreWorkspaceFiles',
      actions: ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
      resources: [workspaceBucket.arnForObjects('*')],
    }),
    new PolicyStatement({
      sid: 'UseDataKey',
      actions: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:GenerateDataKey',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      resources: [key.keyArn],
    }),
  ];
}
