/** The Spark settings that a run needs; the same on EMR and locally, except for the location of the catalog. */
import { CATALOG } from './lake.ts';

/** The Iceberg catalog of the tables. */
export type CatalogKind =
  | { readonly kind: 'glue'; readonly kmsKeyArn?: string }
  | { readonly kind: 'folder' };

/**
 * Settings for `spark-defaults` (an EMR classification in the cloud, a spark-defaults.conf locally).
 * @param warehouse URI of the folder of the Iceberg tables
 */
export function sparkDefaults(catalog: CatalogKind, warehouse: string): Record<string, string> {
  const prefix = `spark.sql.catalog.${CATALOG}`;
  return {
    'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
    [prefix]: 'org.apache.iceberg.spark.SparkCatalog',
    [`${prefix}.warehouse`]: warehouse,
    ...(catalog.kind === 'glue'
      ? { [`${prefix}.type`]: 'glue', [`${prefix}.io-impl`]: 'org.apache.iceberg.aws.s3.S3FileIO' }
      : { [`${prefix}.type`]: 'hadoop' }),
    ...(catalog.kind === 'glue' && catalog.kmsKeyArn !== undefined
      ? { [`${prefix}.s3.sse.type`]: 'kms', [`${prefix}.s3.sse.key`]: catalog.kmsKeyArn }
      : {}),
    'spark.sql.session.timeZone': 'UTC',
    // XGBoost trains in barrier stages, which Spark refuses to run with dynamic allocation (EMR's default).
    'spark.dynamicAllocation.enabled': 'false',
    'spark.speculation': 'false',
    'spark.authenticate': 'true',
    'spark.network.crypto.enabled': 'true',
    // EMR turns the shuffle service on, which has no secret for these executors: docs/decisions/no-shuffle-service.md.
    'spark.shuffle.service.enabled': 'false',
    'spark.io.encryption.enabled': 'true',
  };
}
