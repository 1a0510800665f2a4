/**
 * An archive of the classes that Spark loads (Java's class data sharing). Loading and checking some 20,000 of them
 * takes half the time of a small step; out of an archive it takes next to none.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInstaller } from './processes.mjs';
import { hashOf, isStamped, stamp } from './stamp.mjs';

/** @import { Locations } from './environment.mjs' */
/** @import { Part } from './ensure.mjs' */

const what = "the archive of Spark's classes";
const warmUp = fileURLToPath(new URL('spark_classes.py', import.meta.url));

/** What spark-submit would open to Spark, as far as the warm-up needs it. */
const OPEN_PACKAGES = [
  'java.lang',
  'java.lang.invoke',
  'java.nio',
  'java.util',
  'java.util.concurrent',
  'sun.nio.ch',
  'sun.nio.cs',
  'sun.util.calendar',
];

/** Java takes an archive for the very jars only that it was made from: their paths and their times. @param {Locations} locations */
function fingerprint({ sparkHome, icebergJar, javaHome }) {
  const jarFolder = join(sparkHome, 'jars');
  const names = existsSync(jarFolder) ? readdirSync(jarFolder) : [];
  const files = [icebergJar, join(javaHome, 'lib', 'modules'), ...names.map((name) => join(jarFolder, name))];
  const times = files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs);
  return hashOf([warmUp], [...files, ...times.map(String)]);
}

/** @type {Part} */
export const sparkClasses = {
  title: "An archive of Spark's classes, for quick starts",
  megabytes: 250,
  seconds: 30,

  isCurrent: (locations) => isStamped(dirname(locations.classArchives.java), fingerprint(locations)),

  async install(locations, signal) {
    const { java, spark } = locations.classArchives;
    const folder = dirname(java);
    const scratchFolder = join(folder, 'scratch');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(scratchFolder, { recursive: true });
    const javaCommand = join(locations.javaHome, 'bin', 'java');
    const collector = '-XX:+UseParallelGC';
    try {
      await runInstaller(locations, {
        what,
        logName: 'java-classes',
        command: javaCommand,
        args: ['-Xshare:dump', collector, `-XX:SharedArchiveFile=${java}`],
        signal,
      });
      await runInstaller(locations, {
        what,
        logName: 'spark-classes',
        command: javaCommand,
        args: [
          ...[`-XX:SharedArchiveFile=${java}`, `-XX:ArchiveClassesAtExit=${spark}.partial`],
          ...[collector, '-XX:TieredStopAtLevel=1', '-Xmx1g'],
          ...OPEN_PACKAGES.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
          ...['-cp', locations.sparkClassPath, 'org.apache.spark.deploy.SparkSubmit', warmUp, scratchFolder],
        ],
        env: {
          SPARK_HOME: locations.sparkHome,
          JAVA_HOME: locations.javaHome,
          SPARK_LOCAL_IP: '127.0.0.1',
          PYSPARK_PYTHON: locations.pythonExecutable,
        },
        signal,
      });
      renameSync(`${spark}.partial`, spark);
    } catch (error) {
      // Another Java may not know how; all works without the archive, only slower.
      if (signal.aborted) throw error;
    }
    rmSync(scratchFolder, { recursive: true, force: true });
    stamp(folder, fingerprint(locations));
  },
};

/**
 * Java's option to start from the archives; none where they could not be made.
 * @param {Locations['classArchives']} archives
 * @returns {string[]}
 */
export const archiveOptions = ({ java, spark }) =>
  existsSync(spark) ? [`-XX:SharedArchiveFile=${java}:${spark}`] : [];
