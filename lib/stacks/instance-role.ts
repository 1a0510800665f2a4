/** What the instances of a cluster may do: read events, keep the lake, and nothing in the account besides. */
import { Aws } from 'aws-cdk-lib';
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { DATABASE } from '../domain/lake.ts';
import { arnOf } from './arns.ts';

export interface InstanceRoleProps {
  readonly key: IKey;
  readonly rawBucket: IBucket;
  readonly lakeBucket: IBucket;
  readonly logBucket: IBucket;
  readonly rawPrefix: string;
  /** Object the cluster's certificates lie in, where it has any. */
  readonly certificatesUri?: string | undefined;
}

/** Makes the role. Assets grant their reading themselves. */
export function instanceRole(scope: Construct, id: string, props: InstanceRoleProps): Role {
  const role = new Role(scope, id, {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    description: 'Instances of the EMR cluster',
  });
  props.rawBucket.grantRead(role, `${props.rawPrefix}/*`);
  props.lakeBucket.grantReadWrite(role);
  // EMR's log pusher looks whether the object is there before it writes.
  props.logBucket.grantReadWrite(role);
  allow(role, [
    // Besides what the buckets grant: the local disks are encrypted by the instance itself.
    new PolicyStatement({
      sid: 'LocalDisks',
      actions: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*', 'kms:DescribeKey'],
      resources: [props.key.keyArn],
    }),
    new PolicyStatement({
      sid: 'CatalogOfTheLake',
      actions: [
        'glue:GetDatabase',
        'glue:GetTable',
        'glue:GetTables',
        'glue:CreateTable',
        'glue:UpdateTable',
        'glue:DeleteTable',
      ],
      resources: ['catalog', `database/${DATABASE}`, `table/${DATABASE}/*`].map((resource) =>
        arnOf('glue', resource),
      ),
    }),
    ...(props.certificatesUri === undefined ? [] : [certificates(props.certificatesUri)]),
  ]);
  return role;
}

function allow(role: IRole, statements: readonly PolicyStatement[]): void {
  for (const statement of statements) role.addToPrincipalPolicy(statement);
}

function certificates(uri: string): PolicyStatement {
  return new PolicyStatement({
    sid: 'CertificatesInTransit',
    actions: ['s3:GetObject'],
    resources: [uri.replace('s3://', `arn:${Aws.PARTITION}:s3:::`)],
  });
}
