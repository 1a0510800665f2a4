/**
 * An archive of the classes that Spark loads (Java's class data sharing). Loading and checking some 20,000 of them
 * takes half the time of a small step; out of an archive it takes next to none.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logFileOf, runInstaller } from './processes.mjs';
import { hashOf, isStamped, stamp } from './stamp.mjs';

/** @import { Locations } from './environment.mjs' */
/** @import { Part } from './ensure.mjs' */

const what = "the archive of Spark's classes";
const warmUp = fileURLToPath(new URL('spark_classes.py', import.meta.url));
/** What decides how the archive is made. */
const recipe = [fileURLToPath(import.meta.url), warmUp];

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
  return hashOf(recipe, [...files, ...times.map(String)]);
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
    const partial = `${spark}.partial`;
    const scratchFolder = join(folder, 'scratch');
    const configurationFolder = join(scratchFolder, 'configuration');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(configurationFolder, { recursive: true });
    const env = warmUpEnvironment(locations, configurationFolder, process.env);
    const collector = '-XX:+UseParallelGC';
    const archives = [
      { logName: 'java-classes', args: ['-Xshare:dump', collector, `-XX:SharedArchiveFile=${java}`] },
      {
        logName: 'spark-classes',
        args: [
          ...[`-XX:SharedArchiveFile=${java}`, `-XX:ArchiveClassesAtExit=${partial}`],
          ...[collector, '-XX:TieredStopAtLevel=1', '-Xmx1g'],
          ...OPEN_PACKAGES.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
          ...['-cp', locations.sparkClassPath, 'org.apache.spark.deploy.SparkSubmit', warmUp, scratchFolder],
        ],
      },
    ];
    const command = join(locations.javaHome, 'bin', 'java');
    let failure;
    for (const { logName, args } of archives) {
      try {
        await runInstaller(locations, { what, logName, command, args, env, signal });
      } catch (error) {
        if (signal.aborted) throw error;
        failure = `see ${logFileOf(locations, logName)}`;
        break;
      }
    }
    if (failure === undefined && !existsSync(partial)) failure = `${command} makes none`;
    if (failure === undefined) renameSync(partial, spark);
    rmSync(partial, { force: true });
    rmSync(scratchFolder, { recursive: true, force: true });
    // Another Java may not know how: all works without the archive, and trying again at every command would not help.
    stamp(folder, fingerprint(locations));
    return failure === undefined
      ? undefined
      : `There is no archive of Spark's classes (${failure}): all works without it, but every step starts more slowly.`;
  },
};

/** Variables by which a user sets up a Spark, a Java or a Python of their own. */
const FOREIGN = /^(_?JAVA_|JDK_|SPARK_|PYSPARK_|PYTHON|HADOOP_|YARN_|CLASSPATH$)/;

/**
 * What the warm-up sees besides `inherited`: as in a step, nothing of the user's own Spark, Java or Python gets in.
 * @param {Locations} locations
 * @param {string} configurationFolder an empty one
 * @param {NodeJS.ProcessEnv} inherited
 * @returns {NodeJS.ProcessEnv} undefined for what is to be unset
 */
export function warmUpEnvironment(locations, configurationFolder, inherited) {
  const foreign = Object.keys(inherited).filter((name) => FOREIGN.test(name));
  return {
    ...Object.fromEntries(foreign.map((name) => [name, undefined])),
    SPARK_HOME: locations.sparkHome,
    SPARK_CONF_DIR: configurationFolder,
    JAVA_HOME: locations.javaHome,
    SPARK_LOCAL_IP: '127.0.0.1',
    PYSPARK_PYTHON: locations.pythonExecutable,
    PYSPARK_DRIVER_PYTHON: locations.pythonExecutable,
  };
}

/**
 * Java's option to start from the archives; none where they could not be made.
 * @param {Locations['classArchives']} archives
 * @returns {string[]}
 */
export const archiveOptions = ({ java, spark }) =>
  existsSync(spark) ? [`-XX:SharedArchiveFile=${java}:${spark}`] : [];
