/** The Iceberg jar: downloaded once by Spark itself, from wherever Spark gets packages on this machine, and then kept. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetUpError } from './failure.mjs';
import { runInstaller } from './processes.mjs';
import { proxyOptions } from './proxy.mjs';
import { trustStorePassword } from './trust-store.mjs';

/** @import { Part } from './ensure.mjs' */

const COORDINATES = 'org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.1';
const SHA256 = '39ea09e6c03550a300b9d9ab498949836d2d434e441da4c12a943a086e396940';

const what = 'the Iceberg jar';
const trustStoreBuilder = fileURLToPath(new URL('trust-store.mjs', import.meta.url));

/** @type {Part} */
export const icebergJar = {
  title: 'Iceberg for Spark',
  megabytes: 50,
  seconds: 5,

  // The jar gets its name only once it is complete and has been checked.
  isCurrent: (locations) => existsSync(locations.icebergJar),

  async install(locations, signal) {
    const ivyFolder = join(locations.environmentFolder, 'ivy');
    const trustStore = join(ivyFolder, 'authorities.jks');
    const nothingToRun = join(ivyFolder, 'nothing.py');
    rmSync(ivyFolder, { recursive: true, force: true });
    mkdirSync(ivyFolder, { recursive: true });
    writeFileSync(nothingToRun, '');
    await runInstaller(locations, {
      what,
      logName: 'trust-store',
      command: locations.nodeExecutable,
      args: [trustStoreBuilder, trustStore],
      signal,
    });
    await runInstaller(locations, {
      what,
      logName: 'iceberg',
      command: join(locations.sparkHome, 'bin', 'spark-submit'),
      args: [
        ...['--master', 'local[1]', '--packages', COORDINATES],
        ...['--conf', `spark.jars.ivy=${ivyFolder}`],
        nothingToRun,
      ],
      env: {
        SPARK_HOME: locations.sparkHome,
        JAVA_HOME: locations.javaHome,
        PYSPARK_PYTHON: locations.pythonExecutable,
        SPARK_SUBMIT_OPTS: [
          process.env.SPARK_SUBMIT_OPTS ?? '',
          `-Djavax.net.ssl.trustStore=${trustStore}`,
          `-Djavax.net.ssl.trustStorePassword=${trustStorePassword}`,
          ...proxyOptions(process.env),
        ].join(' '),
      },
      signal,
    });
    const [group, artifact, version] = COORDINATES.split(':');
    const fetched = join(ivyFolder, 'jars', `${group}_${artifact}-${version}.jar`);
    if (createHash('sha256').update(readFileSync(fetched)).digest('hex') !== SHA256) {
      throw new SetUpError(
        `The file downloaded for ${COORDINATES} is not the published one: check where Spark gets packages ` +
          `on this machine, or put the correct file at ${locations.icebergJar} yourself.`,
      );
    }
    mkdirSync(dirname(locations.icebergJar), { recursive: true });
    // Ivy links to the file in a local Maven repository if there is one, so copy it before renaming.
    copyFileSync(fetched, `${locations.icebergJar}.partial`);
    renameSync(`${locations.icebergJar}.partial`, locations.icebergJar);
    rmSync(ivyFolder, { recursive: true });
  },
};
