/** What the instances of a cluster may do: read events, keep the lake, write logs, and nothing in the account besides. */
import { Aws } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { DATABASE } from '../../domain/lake.ts';
import { arnOf } from '../arns.ts';

export interface InstanceRoleProps {
  readonly key: IKey;
  readonly rawBucket: IBucket;
  readonly lakeBucket: IBucket;
  readonly logBucket: IBucket;
  readonly rawPrefix: string;
  /** Object the cluster's certificates lie in, where it has any. */
  readonly certificatesUri?: string | undefined;
}

const WRITE_OBJECTS = [
  's3:GetObject',
  's3:PutObject',
  's3:DeleteObject',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];

/** Makes the role. What it runs, scripts and packages, is added with `readObjects`. */
export function instanceRole(scope: Construct, id: string, props: InstanceRoleProps): Role {
  const { key, rawBucket, lakeBucket, logBucket, rawPrefix, certificatesUri } = props;
  const role = new Role(scope, id, {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    description: 'Instances of the EMR cluster',
  });
  for (const statement of [
    new PolicyStatement({
      sid: 'ListBuckets',
      actions: ['s3:ListBucket', 's3:GetBucketLocation', 's3:ListBucketMultipartUploads'],
      resources: [rawBucket, lakeBucket, logBucket].map(({ bucketArn }) => bucketArn),
    }),
    new PolicyStatement({
      sid: 'ReadEvents',
      actions: ['s3:GetObject'],
      resources: [rawBucket.arnForObjects(`${rawPrefix}/*`)],
    }),
    new PolicyStatement({
      sid: 'KeepTheLakeAndWriteLogs',
      actions: WRITE_OBJECTS,
      resources: [lakeBucket, logBucket].map((bucket) => bucket.arnForObjects('*')),
    }),
    new PolicyStatement({
      sid: 'UseTheKey',
      // Objects by S3's hand, local disks by the instance's own.
      actions: [
        'kms:Decrypt',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:DescribeKey',
      ],
      resources: [key, ...(rawBucket.encryptionKey ? [rawBucket.encryptionKey] : [])].map(
        ({ keyArn }) => keyArn,
      ),
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
  ]) {
    role.addToPolicy(statement);
  }
  if (certificatesUri !== undefined) {
    readObjects(role, [certificatesUri.replace('s3://', `arn:${Aws.PARTITION}:s3:::`)]);
  }
  return role;
}

/** Lets a role read single objects. */
export function readObjects(role: Role, objectArns: readonly string[]): void {
  role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [...objectArns] }));
}
