/** The event files as they were delivered: in a bucket made here, or in one that exists already. */
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { DataBucket, type DataBucketProps } from './data-bucket.ts';

export interface ExistingBucket {
  readonly name: string;
  /**
   * ARN of the customer key that the bucket is encrypted with.
   * @default the bucket is encrypted with S3's own key
   */
  readonly keyArn?: string | undefined;
}

export interface EventLogProps {
  /** Folder of the event files in the bucket, without slashes around it. */
  readonly prefix: string;
  /**
   * A bucket of this account that holds the files.
   * @default a bucket is made
   */
  readonly existing?: ExistingBucket | undefined;
  /** How a bucket is made. */
  readonly bucket: DataBucketProps;
}

export class EventLog extends Construct {
  readonly bucket: IBucket;
  /** `s3://bucket/folder`, without a slash at the end. */
  readonly root: string;

  constructor(scope: Construct, id: string, props: EventLogProps) {
    super(scope, id);
    const { prefix, existing, bucket } = props;
    this.bucket =
      existing === undefined
        ? new DataBucket(this, 'Default', { accessLogsPrefix: `${id}/`, ...bucket }).bucket
        : this.#imported(existing);
    this.root = `s3://${this.bucket.bucketName}/${prefix}`;
  }

  #imported({ name, keyArn }: ExistingBucket): IBucket {
    return keyArn === undefined
      ? Bucket.fromBucketName(this, 'Bucket', name)
      : Bucket.fromBucketAttributes(this, 'Bucket', {
          bucketName: name,
          encryptionKey: Key.fromKeyArn(this, 'Key', keyArn),
        });
  }
}
