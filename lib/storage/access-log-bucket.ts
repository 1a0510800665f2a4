/** The bucket of the access logs of all other buckets. */
import { Duration } from 'aws-cdk-lib';
import { Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { asBucket } from '../cdk-interfaces.ts';
import { PRIVATE_BUCKET, UNFINISHED_UPLOADS } from './private-bucket.ts';
import type { Removal } from './removal.ts';

export interface AccessLogBucketProps extends Removal {
  /** Days after which a log is deleted. */
  readonly keepDays: number;
}

/** Encrypted with S3's own key: S3 cannot deliver access logs to a bucket with a customer key. */
export class AccessLogBucket extends Construct {
  readonly bucket: IBucket;

  constructor(scope: Construct, id: string, props: AccessLogBucketProps) {
    super(scope, id);
    const { keepDays, removalPolicy, autoDeleteObjects } = props;
    this.bucket = asBucket(
      new Bucket(this, 'Default', {
        ...PRIVATE_BUCKET,
        removalPolicy,
        autoDeleteObjects,
        encryption: BucketEncryption.S3_MANAGED,
        lifecycleRules: [UNFINISHED_UPLOADS, { id: 'old-logs', expiration: Duration.days(keepDays) }],
      }),
    );
  }
}
