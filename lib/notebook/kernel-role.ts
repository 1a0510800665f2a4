/** What a kernel may do, on the instances of a notebook's cluster: ask Athena, and read what Athena reads. Nothing more. */
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { EXTERNAL_TABLES, WAREHOUSE } from '../../domain/lake.ts';
import { arnOf, glueArns } from '../arns.ts';
import type { Storage } from '../storage/storage-stack.ts';

/** Folder of the logs of the notebooks' clusters, in the bucket of the cluster logs. */
export const NOTEBOOK_LOGS = 'notebooks';

export interface KernelRoleProps {
  readonly storage: Pick<
    Storage,
    'key' | 'lakeBucket' | 'resultsBucket' | 'logBucket' | 'databaseName' | 'workgroupName'
  >;
  /** What the bootstrap action fetches. */
  readonly assets: readonly Asset[];
}

export class KernelRole extends Construct {
  readonly role: IRole;

  constructor(scope: Construct, id: string, props: KernelRoleProps) {
    super(scope, id);
    const role = new Role(this, 'Default', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'Instances of the cluster that a notebook attaches to',
    });
    for (const statement of statements(props)) role.addToPolicy(statement);
    this.role = role;
  }
}

function statements({ storage, assets }: KernelRoleProps): readonly PolicyStatement[] {
  const { lakeBucket, resultsBucket, logBucket, databaseName, workgroupName } = storage;
  const within = (bucket: IBucket, ...folders: readonly string[]): string[] =>
    folders.map((folder) => bucket.arnForObjects(`${folder}/*`));
  return [
    new PolicyStatement({
      sid: 'AskAthena',
      actions: [
        'athena:GetQueryExecution',
        'athena:GetQueryResults',
        'athena:StartQueryExecution',
        'athena:StopQueryExecution',
      ],
      resources: [arnOf('athena', `workgroup/${workgroupName}`)],
    }),
    new PolicyStatement({
      sid: 'FindTables',
      actions: ['glue:GetDatabase', 'glue:GetPartitions', 'glue:GetTable', 'glue:GetTables'],
      resources: [...glueArns(databaseName)],
    }),
    new PolicyStatement({
      sid: 'ListBuckets',
      actions: ['s3:GetBucketLocation', 's3:ListBucket'],
      resources: [lakeBucket.bucketArn, resultsBucket.bucketArn],
    }),
    new PolicyStatement({
      sid: 'ReadTables',
      actions: ['s3:GetObject'],
      resources: within(lakeBucket, WAREHOUSE, EXTERNAL_TABLES),
    }),
    new PolicyStatement({
      sid: 'WriteResults',
      actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:PutObject'],
      resources: [resultsBucket.arnForObjects('*')],
    }),
    new PolicyStatement({
      sid: 'WriteLogs',
      actions: ['s3:PutObject'],
      resources: within(logBucket, NOTEBOOK_LOGS),
    }),
    new PolicyStatement({
      sid: 'ReadKernelFiles',
      actions: ['s3:GetObject'],
      resources: assets.map(({ bucket, s3ObjectKey }) => bucket.arnForObjects(s3ObjectKey)),
    }),
    useKeyForDataAndDisks(storage.key),
  ];
}

/** For objects through S3 and Athena, for local disks by the instance itself. */
function useKeyForDataAndDisks(key: IKey): PolicyStatement {
  return new PolicyStatement({
    sid: 'UseDataKey',
    actions: [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
    ],
    resources: [key.keyArn],
  });
}
