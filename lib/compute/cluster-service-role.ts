/** What EMR itself may do: AWS's own policy, which acts only on what carries its tag, and the key. */
import { Aws } from 'aws-cdk-lib';
import { type IRole, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { arnOf } from '../arns.ts';

export interface ClusterServiceRoleProps {
  /** Encrypts the volumes of the instances. */
  readonly key: IKey;
  /** The role that EMR gives the instances. */
  readonly instanceRole: IRole;
}

/** The role that EMR assumes to launch and terminate instances. */
export class ClusterServiceRole extends Construct {
  readonly role: IRole;

  constructor(scope: Construct, id: string, props: ClusterServiceRoleProps) {
    super(scope, id);
    const role = new Role(this, 'Default', {
      assumedBy: new ServicePrincipal('elasticmapreduce.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: { 'aws:SourceArn': arnOf('elasticmapreduce', '*') },
        },
      }),
      description: 'EMR service role',
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonEMRServicePolicy_v2')],
    });
    for (const statement of statements(props)) role.addToPolicy(statement);
    // CDK's own grant for the role of the instances would let EMR pass that role to any service.
    this.role = role.withoutPolicyUpdates();
  }
}

function statements({ key, instanceRole }: ClusterServiceRoleProps): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'PassInstanceRole',
      actions: ['iam:PassRole'],
      resources: [instanceRole.roleArn],
      conditions: { StringLike: { 'iam:PassedToService': 'ec2.amazonaws.com*' } },
    }),
    new PolicyStatement({
      sid: 'UseDataKeyForVolumes',
      actions: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      resources: [key.keyArn],
    }),
    new PolicyStatement({
      sid: 'GrantDataKeyToVolumes',
      actions: ['kms:CreateGrant'],
      resources: [key.keyArn],
      conditions: { Bool: { 'kms:GrantIsForAWSResource': true } },
    }),
  ];
}
