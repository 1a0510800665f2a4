/** A bucket for data: private, encrypted with the customer key, TLS only, its accesses logged. */
import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Bucket, BucketEncryption, type IBucket, type LifecycleRule } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { asBucket } from '../cdk-interfaces.ts';
import { PRIVATE_BUCKET, UNFINISHED_UPLOADS } from './private-bucket.ts';
import type { Removal } from './removal.ts';

export interface DataBucketProps extends Removal {
  /** Encrypts every object; S3 Bucket Keys keep the calls to KMS few. */
  readonly key: IKey;
  /** Receives the access logs. */
  readonly accessLogs: IBucket;
  /**
   * Folder of this bucket's logs among the access logs, with a slash at the end.
   * @default the construct's id
   */
  readonly accessLogsPrefix?: string;
  /**
   * Rules besides those for unfinished uploads and old versions.
   * @default none
   */
  readonly lifecycleRules?: readonly LifecycleRule[];
  /**
   * Days for which objects that were overwritten or deleted are kept.
   * @default the bucket keeps no versions
   */
  readonly keepOldVersionsDays?: number;
}

export class DataBucket extends Construct {
  readonly bucket: IBucket;

  constructor(scope: Construct, id: string, props: DataBucketProps) {
    super(scope, id);
    const { key, accessLogs, accessLogsPrefix = `${id}/`, removalPolicy, autoDeleteObjects } = props;
    const { lifecycleRules = [], keepOldVersionsDays } = props;
    const oldVersions: LifecycleRule[] =
      keepOldVersionsDays === undefined
        ? []
        : [{ id: 'old-versions', noncurrentVersionExpiration: Duration.days(keepOldVersionsDays) }];
    this.bucket = asBucket(
      new Bucket(this, 'Default', {
        ...PRIVATE_BUCKET,
        removalPolicy,
        autoDeleteObjects,
        encryption: BucketEncryption.KMS,
        encryptionKey: key,
        bucketKeyEnabled: true,
        versioned: keepOldVersionsDays !== undefined,
        serverAccessLogsBucket: accessLogs,
        serverAccessLogsPrefix: accessLogsPrefix,
        lifecycleRules: [UNFINISHED_UPLOADS, ...oldVersions, ...lifecycleRules],
      }),
    );
  }
}
