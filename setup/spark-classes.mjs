/**
 * An archive of the classes that Spark loads (Java's class data sharing). Loading and verifying some 20,000 classes
 * takes half the time of a small step; from an archive it takes almost no time.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutForeign } from './foreign-variables.mjs';
import { logFileOf, runInstaller } from './processes.mjs';
import { hashOf, isStamped, stamp } from './stamp.mjs';

/** @import { Locations } from './environment.mjs' */
/** @import { Part } from './ensure.mjs' */

const what = "the archive of Spark's classes";
const warmUp = fileURLToPath(new URL('spark_classes.py', import.meta.url));
/** The files that determine how the archive is created. */
const recipe = [fileURLToPath(import.meta.url), warmUp];

/** The packages that spark-submit would open to Spark, as far as the warm-up needs them. */
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

/** Java accepts an archive only for the jars that it was created from: the same paths and modification times. @param {Locations} locations */
function fingerprint({ sparkHome, icebergJar, javaHome }) {
  const jarFolder = join(sparkHome, 'jars');
  const names = existsSync(jarFolder) ? readdirSync(jarFolder) : [];
  const files = [icebergJar, join(javaHome, 'lib', 'modules'), ...names.map((name) => join(jarFolder, name))];
  const times = files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs);
  return hashOf(recipe, [...files, ...times.map(String)]);
}

/** @type {Part} */
export const sparkClasses = {
  title: "An archive of Spark's classes, for faster starts",
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
    if (failure === undefined && !existsSync(partial)) failure = `${command} did not create one`;
    if (failure === undefined) renameSync(partial, spark);
    rmSync(partial, { force: true });
    rmSync(scratchFolder, { recursive: true, force: true });
    // Another Java may not support this. Everything works without the archive, and retrying at every command would not help.
    stamp(folder, fingerprint(locations));
    return failure === undefined
      ? undefined
      : `There is no archive of Spark's classes (${failure}): everything works without it, but every step starts more slowly.`;
  },
};

/**
 * The warm-up's environment variables on top of `inherited`: as in a step, the user's own Spark, Java and Python are kept out.
 * @param {Locations} locations
 * @param {string} configurationFolder an empty folder
 * @param {NodeJS.ProcessEnv} inherited
 * @returns {NodeJS.ProcessEnv} undefined for a variable to unset
 */
export function warmUpEnvironment(locations, configurationFolder, inherited) {
  return {
    ...withoutForeign(inherited),
    SPARK_HOME: locations.sparkHome,
    SPARK_CONF_DIR: configurationFolder,
    JAVA_HOME: locations.javaHome,
    SPARK_LOCAL_IP: '127.0.0.1',
    PYSPARK_PYTHON: locations.pythonExecutable,
    PYSPARK_DRIVER_PYTHON: locations.pythonExecutable,
  };
}

/**
 * Java's option to start from the archives; empty if they could not be created.
 * @param {Locations['classArchives']} archives
 * @returns {string[]}
 */
export const archiveOptions = ({ java, spark }) =>
  existsSync(spark) ? [`-XX:SharedArchiveFile=${java}:${spark}`] : [];
