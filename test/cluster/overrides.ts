/** Everything in which the rehearsed cluster differs from the deployed one: sizes, places and endpoints of one machine. */
import { join } from 'node:path';
import { FIRST_COMPILER_ALONE } from '../../local/spark/java-options.ts';
import { clusterJarFiles } from '../../setup/cluster-jars.mjs';
import {
  javaHome,
  locate,
  projectRoot,
  pythonExecutable,
  sparkClassPath,
  sparkHome,
} from '../../setup/environment.mjs';
import type { Classifications } from './classifications.ts';

/** The executors of the rehearsal, one on each node. */
export const EXECUTORS = 2;
/** Barrier tasks of XGBoost. */
export const BOOSTING_WORKERS = 2;
/** What YARN hands out on each node: one executor, and on one of them the application master. */
const NODE_MEBIBYTES = 2_816;
const NODE_CORES = 4;
/** Java's options of driver and executors: little memory beside the heap, and arithmetic that is the same on both sides. */
const SPARK_JAVA_OPTIONS = [
  '-XX:+UseSerialGC',
  ...FIRST_COMPILER_ALONE,
  '-Ddev.ludovic.netlib.blas.nativeLib=none',
].join(' ');
const JAVA_MODULES = [
  'java.lang',
  'java.lang.reflect',
  'java.util',
  'java.nio',
  'sun.nio.ch',
  'java.net',
  'java.io',
];

/** Java's options of what only waits and passes on: a young generation of Java's own size would be written all over. */
const SMALL_JAVA = ['-Xmn16m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Java's options of the daemons: small, and open to Hadoop's reflection. */
export const DAEMON_JAVA_OPTIONS: readonly string[] = [
  ...['-Xmx192m', ...SMALL_JAVA],
  ...JAVA_MODULES.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
];

/** Environment of all processes of the cluster: as Hadoop's own scripts do, few of the pools that C reserves memory in. */
export const NATIVE_MEMORY = { MALLOC_ARENA_MAX: '2' } as const;

export const DAEMON_CLASS_PATH: readonly string[] = [
  ...clusterJarFiles(locate(projectRoot), 'daemons'),
  join(sparkHome, 'jars', '*'),
];

/** @param folder holds the daemons' files */
export function yarnOverrides(folder: string): Classifications {
  return {
    'yarn-site': {
      'yarn.resourcemanager.hostname': '127.0.0.1',
      'yarn.nodemanager.resource.memory-mb': String(NODE_MEBIBYTES),
      'yarn.nodemanager.resource.cpu-vcores': String(NODE_CORES),
      'yarn.scheduler.minimum-allocation-mb': '64',
      'yarn.scheduler.maximum-allocation-mb': String(NODE_MEBIBYTES),
      'yarn.nodemanager.vmem-check-enabled': 'false',
      'yarn.nodemanager.pmem-check-enabled': 'true',
      // The machine's own disk may be nearly full without harm to a rehearsal.
      'yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage': '100',
      'yarn.node-labels.fs-store.root-dir': `file://${folder}/labels`,
      'yarn.nodemanager.delete.debug-delay-sec': '3600',
      'yarn.nodemanager.recovery.enabled': 'false',
    },
    'core-site': {
      'fs.defaultFS': 'file:///',
      'hadoop.tmp.dir': join(folder, 'tmp'),
      'hadoop.http.staticuser.user': 'hadoop',
    },
  };
}

/** @param folder holds scratch files @param aws the environment variables that say where S3 and Glue answer, and as whom to call */
export function sparkOverrides(folder: string, aws: Readonly<Record<string, string>>): Classifications {
  const endpoint = aws.AWS_ENDPOINT_URL ?? '';
  const connectors = clusterJarFiles(locate(projectRoot), 'connectors').join(':');
  const classPath = `${sparkClassPath}:${connectors}`;
  return {
    'spark-defaults': {
      // Sizes. The cluster of a plan has executors of four cores and 10 GiB.
      'spark.executor.instances': String(EXECUTORS),
      // One, or both boosting workers run in the executor that holds the rows.
      'spark.executor.cores': '1',
      'spark.executor.memory': '768m',
      'spark.executor.memoryOverhead': '1100m',
      'spark.driver.memory': '704m',
      'spark.yarn.am.memory': '256m',
      'spark.yarn.am.extraJavaOptions': SMALL_JAVA.join(' '),
      'spark.executor.extraJavaOptions': SPARK_JAVA_OPTIONS,
      'spark.driver.extraJavaOptions': SPARK_JAVA_OPTIONS,
      'spark.ui.enabled': 'false',
      // Places: EMR's image has all of this where Spark looks for it.
      'spark.driver.host': '127.0.0.1',
      'spark.driver.bindAddress': '127.0.0.1',
      'spark.yarn.jars': `local:${join(sparkHome, 'jars')}/*`,
      'spark.yarn.stagingDir': `file://${folder}/staging`,
      'spark.driver.extraClassPath': classPath,
      'spark.executor.extraClassPath': classPath,
      'spark.yarn.appMasterEnv.SPARK_LOCAL_IP': '127.0.0.1',
      'spark.yarn.appMasterEnv.JAVA_HOME': javaHome,
      'spark.executorEnv.JAVA_HOME': javaHome,
      'spark.pyspark.python': pythonExecutable,
      'spark.pyspark.driver.python': pythonExecutable,
      'spark.executorEnv.PYSPARK_PYTHON': pythonExecutable,
      // EMR keeps them in S3: the rehearsal reads from them where tasks ran.
      'spark.eventLog.enabled': 'true',
      'spark.eventLog.dir': `file://${folder}/events`,
      // S3 and Glue. On EMR the instances have their role's credentials.
      ...Object.fromEntries(
        Object.entries({ ...aws, ...NATIVE_MEMORY }).map(([name, value]) => [
          `spark.executorEnv.${name}`,
          value,
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(NATIVE_MEMORY).map(([name, value]) => [`spark.yarn.appMasterEnv.${name}`, value]),
      ),
      'spark.sql.catalog.lake.glue.endpoint': endpoint,
      'spark.sql.catalog.lake.s3.endpoint': endpoint,
      'spark.sql.catalog.lake.s3.path-style-access': 'true',
      'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
      'spark.hadoop.fs.s3a.endpoint': endpoint,
      'spark.hadoop.fs.s3a.path.style.access': 'true',
      'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
    },
  };
}
