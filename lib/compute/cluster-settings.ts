/** How software on the cluster is set up: YARN and Spark for the steps, Iceberg, and Python. */

import { JsonPath } from 'aws-cdk-lib/aws-stepfunctions';
import type { EmrCreateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { VCPUS_PER_UNIT } from '../../domain/cost.ts';
import { WAREHOUSE } from '../../domain/lake.ts';
import { sparkDefaults } from '../../domain/spark.ts';
import { CORE_LABEL, yarnClassifications } from './yarn-settings.ts';

type Classification = EmrCreateCluster.ConfigurationProperty;

/** Python of the steps, the version that their packages are built for. */
const PYTHON = '/usr/bin/python3.11';
/** Where the bootstrap action unpacks the packages. */
export const PACKAGES_FOLDER = '/opt/churn/python';

/**
 * One executor fills one unit: four cores, and 10 of the 12 GiB that EMR gives YARN on 16 GiB. What is left is enough for
 * the application master (under 1 GiB), wherever it runs: the settings of YARN keep it on a core node. Python workers and
 * XGBoost live outside the heap.
 */
const EXECUTOR = { cores: VCPUS_PER_UNIT, heap: '6g', overhead: '4g' } as const;
/** The driver has the primary to itself. */
const DRIVER_HEAP = '8g';

export interface ClusterSettings {
  /** `s3://bucket`. */
  readonly lakeRoot: string;
  /** Encrypts the files of the tables. */
  readonly keyArn: string;
  /** Whether application masters may run on core nodes only. */
  readonly nodeLabels: boolean;
}

/** EMR's classifications. */
export function clusterConfigurations({ lakeRoot, keyArn, nodeLabels }: ClusterSettings): Classification[] {
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
        // YARN's default label for application masters is not in every Hadoop: without it Spark has to ask.
        ...(nodeLabels ? { 'spark.yarn.am.nodeLabelExpression': CORE_LABEL } : {}),
      },
    },
    ...yarnClassifications({ executorCores: EXECUTOR.cores, nodeLabels }),
    { classification: 'spark-env', configurations: [{ classification: 'export', properties: environment }] },
  ];
}
