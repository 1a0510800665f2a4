/** The settings of Spark on this machine: those of the cluster, except for locations and resources. */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { WAREHOUSE } from '../../domain/lake.ts';
import { sparkDefaults } from '../../domain/spark.ts';
import { javaHome, pythonExecutable, sparkClassPath, sparkHome } from '../../setup/environment.mjs';
import { fileUri } from '../adapters/file-uris.ts';
import { javaOptions } from './java-options.ts';
import { memoryBytes } from './memory.ts';

const MOST_CORES = 8;
/** Java's heap. With Python, XGBoost and Java's memory outside the heap, a run stays below 5 GB. */
const MOST_HEAP_MEBIBYTES = 2_560;
const LEAST_HEAP_MEBIBYTES = 1_024;
const MEBIBYTE = 1_048_576;

export interface LocalCluster {
  /** Absolute path of the lake. */
  readonly lakeFolder: string;
  /** Folder for Spark's spilled and shuffled data. */
  readonly scratchFolder: string;
  /** `spark-defaults` of the cluster's definition. */
  readonly defined: Readonly<Record<string, string>>;
}

/** Settings of a local cluster; they override those of the definition. */
export function localSparkSettings(cluster: LocalCluster): Readonly<Record<string, string>> {
  const cores = Math.min(availableParallelism(), MOST_CORES);
  const half = Math.floor(memoryBytes() / MEBIBYTE / 2);
  const heapMebibytes = Math.max(LEAST_HEAP_MEBIBYTES, Math.min(MOST_HEAP_MEBIBYTES, half));
  return {
    ...withoutCloud(cluster.defined),
    ...sparkDefaults({ kind: 'folder' }, fileUri(`${cluster.lakeFolder}/${WAREHOUSE}`)),
    'spark.master': `local[${cores}]`,
    'spark.submit.deployMode': 'client',
    'spark.driver.extraClassPath': sparkClassPath,
    'spark.driver.memory': `${heapMebibytes}m`,
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    // For small runs; a large run gets other options.
    'spark.driver.extraJavaOptions': javaOptions(cluster.scratchFolder, true),
    'spark.local.dir': cluster.scratchFolder,
    'spark.sql.warehouse.dir': fileUri(`${cluster.scratchFolder}/spark-warehouse`),
    'spark.default.parallelism': String(cores),
    'spark.sql.shuffle.partitions': String(4 * cores),
    // Every sort and every hash map of a task begins with a page; with the default of 64 MB most of it is cleared in vain.
    'spark.buffer.pageSize': '2m',
    // Rows are shuffled in fewer, larger blocks.
    'spark.io.compression.lz4.blockSize': '128k',
    'spark.shuffle.file.buffer': '128k',
    // Listing local files directly is faster than starting a job for it.
    'spark.sql.sources.parallelPartitionDiscovery.threshold': '100000',
    'spark.ui.enabled': 'false',
    'spark.ui.showConsoleProgress': 'true',
    // A single process has no network traffic, and its scratch files are on the same disk as the lake itself.
    'spark.authenticate': 'false',
    'spark.network.crypto.enabled': 'false',
    'spark.io.encryption.enabled': 'false',
  };
}

/** The cluster's settings without those of its catalog, memory, executors and paths. */
function withoutCloud(defined: Readonly<Record<string, string>>): Record<string, string> {
  const cloud =
    /^spark\.(sql\.catalog\.|(executor|driver|yarn|hadoop|pyspark|executorEnv|eventLog|history|jars)\b)/;
  return Object.fromEntries(Object.entries(defined).filter(([name]) => !cloud.test(name)));
}

/**
 * Writes the configuration of a local cluster into a folder.
 * @returns the folder for Spark's spilled and shuffled data, below it
 */
export async function writeConfiguration(
  folder: string,
  cluster: Omit<LocalCluster, 'scratchFolder'>,
): Promise<string> {
  const scratchFolder = join(folder, 'scratch');
  await mkdir(scratchFolder, { recursive: true });
  const settings = localSparkSettings({ ...cluster, scratchFolder });
  await writeFile(join(folder, 'spark-defaults.conf'), propertiesText(settings));
  await writeFile(join(folder, 'log4j2.properties'), LOG4J_PROPERTIES);
  return scratchFolder;
}

/** Text of a spark-defaults.conf, which Java reads as properties. */
export function propertiesText(settings: Readonly<Record<string, string>>): string {
  const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${escaped(value)}\n`)
    .join('');
}

/** Writes warnings and errors to standard error, which goes to the step's log. */
export const LOG4J_PROPERTIES = `rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
`;

/** The environment variables of a step's processes; the user's own Spark, Java and Python are kept out. */
export function sparkEnvironment(configurationFolder: string): Readonly<Record<string, string>> {
  const { PATH, HOME } = process.env;
  const kept = Object.entries({ PATH, HOME }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    ...Object.fromEntries(kept),
    JAVA_HOME: javaHome,
    SPARK_HOME: sparkHome,
    SPARK_CONF_DIR: configurationFolder,
    SPARK_LOCAL_IP: '127.0.0.1',
    // File names in UTF-8, letters without a language's own rules, and days as in UTC.
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    PYSPARK_PYTHON: pythonExecutable,
    PYSPARK_DRIVER_PYTHON: pythonExecutable,
    PYTHONHASHSEED: '0',
    PYTHONUNBUFFERED: '1',
  };
}
