/** What the S3 endpoint lets through: buckets of this account, and those of AWS that EMR needs in a private subnet. */
import { Aws } from 'aws-cdk-lib';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** What S3's clients call to write an object, into a bucket of another account too. */
const WRITE = ['s3:PutObject', 's3:PutObjectAcl', 's3:PutObjectTagging'];

/** @param emrLogBucket name of the bucket in which EMR keeps the logs of every cluster that has logs */
export function s3EndpointStatements(emrLogBucket: string): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'AllowBucketsOfThisAccount',
      principals: [new AnyPrincipal()],
      actions: [
        's3:GetObject',
        's3:PutObject',
        's3:DeleteObject',
        's3:ListBucket',
        's3:GetBucketLocation',
        's3:ListBucketMultipartUploads',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
      ],
      resources: ['*'],
      conditions: {
        StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID, 's3:ResourceAccount': Aws.ACCOUNT_ID },
      },
    }),
    allowSystemBuckets(
      'ReadPackageRepositories',
      ['s3:GetObject'],
      [`al2023-repos-${Aws.REGION}-de612dc2`, `repo.${Aws.REGION}.emr.amazonaws.com`],
    ),
    allowSystemBuckets('WriteEmrSystemLogs', WRITE, [emrLogBucket]),
    allowSystemBuckets(
      'UseEmrHistoryServer',
      ['s3:GetObject', ...WRITE, 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      [`prod.${Aws.REGION}.appinfo.src`],
    ),
  ];
}

function allowSystemBuckets(
  sid: string,
  actions: readonly string[],
  buckets: readonly string[],
): PolicyStatement {
  return new PolicyStatement({
    sid,
    principals: [new AnyPrincipal()],
    actions: [...actions],
    resources: buckets.map((bucket) => `arn:${Aws.PARTITION}:s3:::${bucket}/*`),
  });
}
