/** Athena's workgroup for the lake, with the saved queries. */
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { NamedQuery } from '../../domain/named-queries.ts';

export interface QueryWorkgroupProps {
  /** The workgroup's name. */
  readonly name: string;
  /** Glue database that the saved queries read. */
  readonly databaseName: string;
  /** Takes the results of all queries. */
  readonly resultsBucket: IBucket;
  /** Encrypts the results. */
  readonly key: IKey;
  /** A query that would read more is stopped, in GiB. */
  readonly scanLimitGiB: number;
  /**
   * Queries that Athena shows in its list of saved queries.
   * @default none
   */
  readonly queries?: readonly NamedQuery[];
}

const GIBIBYTE = 1_073_741_824;

/** Where results go, and how they are encrypted, is enforced: a query cannot choose otherwise. */
export class QueryWorkgroup extends Construct {
  readonly workgroupName: string;

  constructor(scope: Construct, id: string, props: QueryWorkgroupProps) {
    super(scope, id);
    const { name, databaseName, resultsBucket, key, scanLimitGiB, queries = [] } = props;
    this.workgroupName = name;
    const workgroup = new CfnWorkGroup(this, 'Default', {
      name,
      description: 'Queries of the churn lake',
      // Every run leaves its queries in the history, and Athena does not delete a workgroup with a history otherwise.
      // No data is lost by it.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: scanLimitGiB * GIBIBYTE,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${resultsBucket.bucketName}/`,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
    for (const query of queries) {
      new CfnNamedQuery(this, query.name, {
        name: `${name}-${query.name}`,
        description: query.description,
        database: databaseName,
        workGroup: name,
        queryString: query.sql,
      }).addResourceDependency(workgroup);
    }
  }
}
