/** How software on the cluster is set up: Spark for the steps, Iceberg, and Python. */

import { JsonPath } from 'aws-cdk-lib/aws-stepfunctions';
import type { EmrCreateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { WAREHOUSE } from '../../domain/lake.ts';
import { sparkDefaults } from '../../domain/spark.ts';

type Classification = EmrCreateCluster.ConfigurationProperty;

/** Python of the steps, the version that their packages are built for. */
const PYTHON = '/usr/bin/python3.11';
/** Where the bootstrap action unpacks the packages. */
export const PACKAGES_FOLDER = '/opt/churn/python';

/**
 * One executor fills one unit: four cores; of the 12 GiB that EMR gives YARN on 16 GiB, 10 for it, and room for
 * the application master on one of the core instances. Python workers and XGBoost live outside the heap.
 */
const EXECUTOR = { cores: 4, heap: '6g', overhead: '4g' } as const;
/** The driver has the primary to itself. */
const DRIVER_HEAP = '8g';

/** EMR's classifications. @param lakeRoot `s3://bucket` */
export function clusterConfigurations(lakeRoot: string, keyArn: string): Classification[] {
  const environment = { PYSPARK_PYTHON: PYTHON, PYSPARK_DRIVER_PYTHON: PYTHON, PYTHONPATH: PACKAGES_FOLDER };
  return [
    { classification: 'iceberg-defaults', properties: { 'iceberg.enabled': 'true' } },
    {
      classification: 'spark-defaults',
      properties: {
        ...sparkDefaults({ kind: 'glue', kmsKeyArn: keyArn }, `${lakeRoot}/${WAREHOUSE}`),
        // All tables are Iceberg's, in a catalog of its own: no Hive metastore is used.
        'spark.sql.catalogImplementation': 'in-memory',
        'spark.executor.instances': JsonPath.format('{}', JsonPath.stringAt('$.plan.cluster.executors')),
        'spark.executor.cores': String(EXECUTOR.cores),
        'spark.executor.memory': EXECUTOR.heap,
        'spark.executor.memoryOverhead': EXECUTOR.overhead,
        'spark.driver.memory': DRIVER_HEAP,
        'spark.executorEnv.PYTHONPATH': PACKAGES_FOLDER,
      },
    },
    { classification: 'spark-env', configurations: [{ classification: 'export', properties: environment }] },
  ];
}
