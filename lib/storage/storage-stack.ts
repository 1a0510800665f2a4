/** Where everything lies: buckets, the key they are encrypted with, the catalog, and the workgroup that reads them. */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { DATABASE } from '../../domain/lake.ts';
import type { Configuration } from '../configuration.ts';
import { accessLogBucket, dataBucket, type Removal } from './buckets.ts';
import { encryptionKey } from './encryption.ts';
import { lakeCatalog } from './glue-tables.ts';
import { NAMED_QUERIES } from './named-queries.ts';

export interface StorageStackProps extends StackProps {
  readonly configuration: Configuration;
}

const GIBIBYTE = 1_073_741_824;
const KEEP_OLD_VERSIONS_DAYS = 14;
const KEEP_RESULTS_DAYS = 30;

/** Whether data goes with its stack: only when both yeses were given. */
function removalOf(configuration: Configuration): Removal {
  return configuration.deleteData
    ? { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true }
    : { removalPolicy: RemovalPolicy.RETAIN, autoDeleteObjects: false };
}

export class StorageStack extends Stack {
  readonly key: IKey;
  /** Event files as they were delivered; ours or an existing bucket. */
  readonly rawBucket: IBucket;
  readonly lakeBucket: IBucket;
  /** Logs of the clusters. */
  readonly logBucket: IBucket;
  readonly resultsBucket: IBucket;
  /** `s3://bucket` of the lake. */
  readonly lakeRoot: string;
  /** `s3://bucket/folder` of the event files. */
  readonly eventsRoot: string;
  readonly workgroupName: string;

  constructor(scope: Construct, id: string, props: StorageStackProps) {
    super(scope, id, props);
    const { configuration } = props;
    const removal = removalOf(configuration);
    const key = encryptionKey(this, 'Key', configuration.prefix, removal.removalPolicy);
    const accessLogs = accessLogBucket(this, 'AccessLogs', removal, configuration.logRetentionDays);
    const data = { ...removal, key, accessLogs };
    this.key = key;
    this.rawBucket =
      this.rawEvents(configuration) ??
      dataBucket(this, 'RawEvents', { ...data, keepOldVersionsDays: KEEP_OLD_VERSIONS_DAYS });
    this.lakeBucket = dataBucket(this, 'Lake', { ...data, keepOldVersionsDays: KEEP_OLD_VERSIONS_DAYS });
    this.logBucket = dataBucket(this, 'ClusterLogs', {
      ...data,
      lifecycleRules: [{ id: 'old-logs', expiration: Duration.days(configuration.logRetentionDays) }],
    });
    this.resultsBucket = dataBucket(this, 'QueryResults', {
      ...data,
      lifecycleRules: [{ id: 'old-results', expiration: Duration.days(KEEP_RESULTS_DAYS) }],
    });
    this.lakeRoot = `s3://${this.lakeBucket.bucketName}`;
    this.eventsRoot = `s3://${this.rawBucket.bucketName}/${configuration.rawPrefix}`;
    new CfnOutput(this, 'EventsUri', { value: this.eventsRoot, description: 'Where the event files go' });
    new CfnOutput(this, 'LakeUri', { value: this.lakeRoot, description: 'Where everything else lies' });
    lakeCatalog(this, {
      lakeRoot: this.lakeRoot,
      eventsRoot: this.eventsRoot,
      keep: !configuration.deleteData,
    });
    this.workgroupName = configuration.prefix;
    this.workgroup(configuration);
  }

  private rawEvents({ rawBucket, rawBucketKeyArn }: Configuration): IBucket | undefined {
    if (rawBucket === undefined) return undefined;
    return rawBucketKeyArn === undefined
      ? Bucket.fromBucketName(this, 'RawEvents', rawBucket)
      : Bucket.fromBucketAttributes(this, 'RawEvents', {
          bucketName: rawBucket,
          encryptionKey: Key.fromKeyArn(this, 'RawEventsKey', rawBucketKeyArn),
        });
  }

  /** Queries write where the workgroup says, encrypted, and stop when they would read more than its limit. */
  private workgroup(configuration: Configuration): void {
    const workgroup = new CfnWorkGroup(this, 'Workgroup', {
      name: this.workgroupName,
      description: 'Queries of the churn lake',
      // Every run leaves its queries in the history, and Athena deletes no workgroup with a history. No data goes by it.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: configuration.athenaScanLimitGiB * GIBIBYTE,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${this.resultsBucket.bucketName}/`,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: this.key.keyArn },
        },
      },
    });
    for (const { name, description, sql } of NAMED_QUERIES) {
      new CfnNamedQuery(this, `Query-${name}`, {
        name,
        description,
        database: DATABASE,
        workGroup: this.workgroupName,
        queryString: sql,
      }).addResourceDependency(workgroup);
    }
  }
}
