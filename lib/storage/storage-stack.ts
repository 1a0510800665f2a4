/** Where everything is stored: buckets, the key they are encrypted with, the catalog, and the workgroup that reads them. */
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { NAMED_QUERIES } from '../../domain/named-queries.ts';
import { EXPIRING_PLACES } from '../../domain/user-id-places.ts';
import type { Configuration } from '../configuration.ts';
import { AccessLogBucket } from './access-log-bucket.ts';
import { DataBucket } from './data-bucket.ts';
import { DataKey } from './data-key.ts';
import { EventLog, type ExistingBucket } from './event-log.ts';
import { ExternalTable } from './external-table.ts';
import { externalTables } from './external-tables.ts';
import { LakeDatabase, ownDatabaseName } from './lake-database.ts';
import { QueryWorkgroup } from './query-workgroup.ts';
import { removalOf } from './removal.ts';

export interface StorageStackProps extends StackProps {
  readonly configuration: Configuration;
}

/** What other stacks use of the storage. */
export interface Storage {
  readonly key: IKey;
  /** Event files as they were delivered; made here or an existing bucket. */
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
  /** Glue database of the tables, for other stacks. */
  readonly databaseName: string;
}

const KEEP_OLD_VERSIONS_DAYS = 14;
const KEEP_RESULTS_DAYS = 30;

export class StorageStack extends Stack implements Storage {
  readonly key: IKey;
  readonly rawBucket: IBucket;
  readonly lakeBucket: IBucket;
  readonly logBucket: IBucket;
  readonly resultsBucket: IBucket;
  /** Files of the notebook's workspaces; only with a notebook. */
  readonly workspaceBucket: IBucket | undefined;
  readonly lakeRoot: string;
  readonly eventsRoot: string;
  readonly workgroupName: string;
  readonly databaseName: string;

  constructor(scope: Construct, id: string, props: StorageStackProps) {
    super(scope, id, props);
    const { configuration } = props;
    const removal = removalOf(configuration);
    const { key } = new DataKey(this, 'Key', {
      prefix: configuration.prefix,
      removalPolicy: removal.removalPolicy,
    });
    const { bucket: accessLogs } = new AccessLogBucket(this, 'AccessLogs', {
      ...removal,
      keepDays: configuration.logRetentionDays,
    });
    const data = { ...removal, key, accessLogs };
    const versioned = { ...data, keepOldVersionsDays: KEEP_OLD_VERSIONS_DAYS };
    const events = new EventLog(this, 'RawEvents', {
      prefix: configuration.rawPrefix,
      existing: existingBucketOf(configuration),
      bucket: versioned,
    });
    this.key = key;
    this.rawBucket = events.bucket;
    this.eventsRoot = events.root;
    this.lakeBucket = new DataBucket(this, 'Lake', {
      ...versioned,
      lifecycleRules: EXPIRING_PLACES.map(({ setting, tag }) => ({
        id: tag.value,
        tagFilters: { [tag.key]: tag.value },
        expiration: Duration.days(configuration.run[setting]),
      })),
    }).bucket;
    this.lakeRoot = `s3://${this.lakeBucket.bucketName}`;
    this.logBucket = new DataBucket(this, 'ClusterLogs', {
      ...data,
      lifecycleRules: [{ id: 'old-logs', expiration: Duration.days(configuration.logRetentionDays) }],
    }).bucket;
    this.resultsBucket = new DataBucket(this, 'QueryResults', {
      ...data,
      lifecycleRules: [{ id: 'old-results', expiration: Duration.days(KEEP_RESULTS_DAYS) }],
    }).bucket;
    this.workspaceBucket = configuration.notebook
      ? new DataBucket(this, 'Workspaces', versioned).bucket
      : undefined;
    const name = configuration.database ?? ownDatabaseName(configuration);
    const { database } = new LakeDatabase(this, 'Database', {
      name,
      lakeRoot: this.lakeRoot,
      keep: !configuration.deleteData,
    });
    for (const definition of externalTables(this.lakeRoot, this.eventsRoot))
      new ExternalTable(this, `Table-${definition.name}`, { definition, database });
    this.workgroupName = new QueryWorkgroup(this, 'Workgroup', {
      name: configuration.prefix,
      resultsBucket: this.resultsBucket,
      key,
      scanLimitGiB: configuration.athenaScanLimitGiB,
      databaseName: database.ref,
      queries: NAMED_QUERIES,
    }).workgroupName;
    new CfnOutput(this, 'EventsUri', { value: this.eventsRoot, description: 'Where the event files go' });
    new CfnOutput(this, 'LakeUri', { value: this.lakeRoot, description: 'Where everything else is stored' });
    // Exported by name, as a reference to the database itself would be; the emulator of the deployment tests knows no database.
    this.databaseName = new CfnOutput(this, 'DatabaseName', {
      value: name,
      description: 'Glue database of the tables',
      exportName: `${configuration.prefix}-database`,
    }).importValue;
  }
}

function existingBucketOf({ rawBucket, rawBucketKeyArn }: Configuration): ExistingBucket | undefined {
  return rawBucket === undefined ? undefined : { name: rawBucket, keyArn: rawBucketKeyArn };
}
