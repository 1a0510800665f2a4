/** Buckets as all of ours are: private, encrypted, TLS only, their accesses logged. */
import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { asBucket } from '../cdk-interfaces.ts';

/** What happens to data when its stack goes. */
export interface Removal {
  readonly removalPolicy: RemovalPolicy;
  readonly autoDeleteObjects: boolean;
}

const PRIVATE = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
} as const;

const UNFINISHED_UPLOADS: LifecycleRule = {
  id: 'unfinished-uploads',
  abortIncompleteMultipartUploadAfter: Duration.days(7),
};

export interface DataBucketProps extends Removal {
  readonly key: IKey;
  readonly accessLogs: IBucket;
  readonly lifecycleRules?: readonly LifecycleRule[];
  /** Keep what is overwritten or deleted for this many days. */
  readonly keepOldVersionsDays?: number;
}

/** A bucket for data, encrypted with the customer key; S3 Bucket Keys keep the calls to KMS few. */
export function dataBucket(scope: Construct, id: string, props: DataBucketProps): IBucket {
  const { key, accessLogs, lifecycleRules = [], keepOldVersionsDays, ...removal } = props;
  const oldVersions: LifecycleRule[] =
    keepOldVersionsDays === undefined
      ? []
      : [{ id: 'old-versions', noncurrentVersionExpiration: Duration.days(keepOldVersionsDays) }];
  return asBucket(
    new Bucket(scope, id, {
      ...PRIVATE,
      ...removal,
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      versioned: keepOldVersionsDays !== undefined,
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: `${id}/`,
      lifecycleRules: [UNFINISHED_UPLOADS, ...oldVersions, ...lifecycleRules],
    }),
  );
}

/** The bucket of the access logs. S3 delivers them only where its own key encrypts. */
export function accessLogBucket(scope: Construct, id: string, removal: Removal, keepDays: number): IBucket {
  return asBucket(
    new Bucket(scope, id, {
      ...PRIVATE,
      ...removal,
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [UNFINISHED_UPLOADS, { id: 'old-logs', expiration: Duration.days(keepDays) }],
    }),
  );
}
