/** What EMR itself may do for us: AWS's own policy, which acts only on what carries its tag, and the key. */
import { Aws } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { arnOf } from '../arns.ts';

/** Makes the role that EMR takes on to launch and end instances. */
export function serviceRole(scope: Construct, id: string, key: IKey, instanceRole: Role): Role {
  const role = new Role(scope, id, {
    assumedBy: new ServicePrincipal('elasticmapreduce.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
        ArnLike: { 'aws:SourceArn': arnOf('elasticmapreduce', '*') },
      },
    }),
    description: 'EMR service role',
    managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonEMRServicePolicy_v2')],
  });
  for (const statement of [
    new PolicyStatement({
      sid: 'InstancesTakeTheirRole',
      actions: ['iam:PassRole'],
      resources: [instanceRole.roleArn],
      conditions: { StringLike: { 'iam:PassedToService': 'ec2.amazonaws.com*' } },
    }),
    new PolicyStatement({
      sid: 'EncryptedVolumes',
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
      sid: 'VolumesOfInstances',
      actions: ['kms:CreateGrant'],
      resources: [key.keyArn],
      conditions: { Bool: { 'kms:GrantIsForAWSResource': true } },
    }),
  ]) {
    role.addToPolicy(statement);
  }
  return role;
}
