/** What the instances of a cluster may do: read events, write the lake and logs, and nothing else in the account. */
import { Aws } from 'aws-cdk-lib';
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { glueArns } from '../arns.ts';

export interface InstanceRoleProps {
  readonly key: IKey;
  /** Holds the event files. If it has a key of its own, the role may use that too. */
  readonly rawBucket: IBucket;
  readonly lakeBucket: IBucket;
  readonly logBucket: IBucket;
  /** Glue database of the lake's tables. */
  readonly databaseName: string;
  /** Folder of the event files in the raw bucket. */
  readonly rawPrefix: string;
  /**
   * `s3://bucket/key` of the cluster's certificates.
   * @default the cluster has none
   */
  readonly certificatesUri?: string | undefined;
}

/** What instances run: scripts of the steps, the bootstrap action, and the packages. */
export type AssetEnding = '.py' | '.sh' | '.zip';

export class InstanceRole extends Construct {
  readonly role: IRole;
  readonly #role: Role;

  constructor(scope: Construct, id: string, props: InstanceRoleProps) {
    super(scope, id);
    this.#role = new Role(this, 'Default', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'Instances of the EMR cluster',
    });
    this.role = this.#role;
    for (const statement of statements(props)) this.#role.addToPolicy(statement);
    const { certificatesUri } = props;
    if (certificatesUri !== undefined)
      this.#readObjects(certificatesUri.replace('s3://', `arn:${Aws.PARTITION}:s3:::`));
  }

  /**
   * Lets the instances read every asset of that kind: a run that is in progress names those of the deployment that it
   * began with.
   */
  readAssets({ bucket }: Asset, ending: AssetEnding): void {
    this.#readObjects(bucket.arnForObjects(`*${ending}`));
  }

  #readObjects(objectArn: string): void {
    this.#role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [objectArn] }));
  }
}

const WRITE_OBJECTS = [
  's3:GetObject',
  's3:PutObject',
  's3:DeleteObject',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];

function statements(props: InstanceRoleProps): readonly PolicyStatement[] {
  const { key, rawBucket, lakeBucket, logBucket, databaseName, rawPrefix } = props;
  return [
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
      sid: 'WriteLakeAndLogs',
      actions: WRITE_OBJECTS,
      resources: [lakeBucket, logBucket].map((bucket) => bucket.arnForObjects('*')),
    }),
    new PolicyStatement({
      sid: 'UseDataKey',
      // For objects through S3, for local disks by the instance itself.
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
      sid: 'ManageLakeTables',
      actions: [
        'glue:GetDatabase',
        'glue:GetTable',
        'glue:GetTables',
        'glue:CreateTable',
        'glue:UpdateTable',
        'glue:DeleteTable',
      ],
      resources: [...glueArns(databaseName)],
    }),
  ];
}
