/**
 * Downloads pinned files from Maven repositories. Ivy, which is among Spark's own jars, fetches each by itself, without
 * what it depends on, from wherever Spark gets packages on this machine.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { SetUpError } from './failure.mjs';
import { runInstaller } from './processes.mjs';
import { proxyOptions } from './proxy.mjs';
import { trustStorePassword } from './trust-store.mjs';

/** @import { Locations } from './environment.mjs' */

/** SHA-256 by `group:artifact:version` for a jar, or `group:artifact:version:type` for another type of file. @typedef {Readonly<Record<string, string>>} PinnedFiles */

const trustStoreBuilder = fileURLToPath(new URL('trust-store.mjs', import.meta.url));
const IVY_JAR = 'ivy-2.5.1.jar';

/**
 * The name under which a file is kept.
 * @param {string} coordinates
 */
export function fileName(coordinates) {
  const [, artifact, version, type = 'jar'] = coordinates.split(':');
  return `${artifact}-${version}.${type}`;
}

/**
 * Ivy's description of what to download.
 * @param {readonly string[]} coordinates
 */
export function ivyModule(coordinates) {
  const dependencies = coordinates.map((each) => {
    const [group, name, version, type] = each.split(':');
    const dependency = `<dependency org="${group}" name="${name}" rev="${version}" conf="default->master" transitive="false"`;
    return type === undefined
      ? `${dependency}/>`
      : `${dependency}><artifact name="${name}" type="${type}" ext="${type}"/></dependency>`;
  });
  return [
    '<ivy-module version="2.0"><info organisation="churn" module="cluster"/>',
    '<configurations><conf name="default"/></configurations>',
    ...['<dependencies>', ...dependencies, '</dependencies></ivy-module>'],
  ].join('\n');
}

/**
 * Downloads files into a folder. A file gets its name there only once it is complete and has been checked.
 * @param {Locations} locations
 * @param {object} download
 * @param {string} download.what what is being installed, for error messages
 * @param {string} download.logName
 * @param {PinnedFiles} download.files
 * @param {string} download.target
 * @param {AbortSignal} download.signal
 */
export async function downloadFiles(locations, { what, logName, files, target, signal }) {
  const folder = join(locations.environmentFolder, `${logName}-ivy`);
  const trustStore = join(folder, 'authorities.jks');
  const types = Object.keys(files).map((coordinates) => coordinates.split(':')[3] ?? 'jar');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ivy.xml'), ivyModule(Object.keys(files)));
  await runInstaller(locations, {
    what,
    logName: 'trust-store',
    command: locations.nodeExecutable,
    args: [trustStoreBuilder, trustStore],
    signal,
  });
  await runInstaller(locations, {
    what,
    logName,
    command: join(locations.javaHome, 'bin', 'java'),
    args: [
      `-Djavax.net.ssl.trustStore=${trustStore}`,
      `-Djavax.net.ssl.trustStorePassword=${trustStorePassword}`,
      ...proxyOptions(process.env),
      ...['-jar', join(locations.sparkHome, 'jars', IVY_JAR)],
      ...['-ivy', join(folder, 'ivy.xml'), '-cache', join(folder, 'cache')],
      ...['-types', ...new Set([...types, 'jar', 'bundle'])],
      ...['-retrieve', join(folder, 'files', '[artifact]-[revision].[ext]')],
    ],
    signal,
  });
  mkdirSync(target, { recursive: true });
  for (const [coordinates, sha256] of Object.entries(files)) {
    await keepFile(coordinates, sha256, join(folder, 'files'), target);
  }
  rmSync(folder, { recursive: true });
}

/**
 * Whether every file is there.
 * @param {PinnedFiles} files
 * @param {string} target
 */
export const haveFiles = (files, target) =>
  Object.keys(files).every((coordinates) => existsSync(join(target, fileName(coordinates))));

/**
 * @param {string} coordinates
 * @param {string} sha256
 * @param {string} folder where Ivy downloaded to
 * @param {string} target
 */
async function keepFile(coordinates, sha256, folder, target) {
  const fetched = join(folder, fileName(coordinates));
  const kept = join(target, fileName(coordinates));
  const hash = createHash('sha256');
  await pipeline(createReadStream(fetched), hash);
  if (hash.digest('hex') !== sha256) {
    throw new SetUpError(
      `The file downloaded for ${coordinates} is not the published one: check where Ivy gets packages on this ` +
        `machine, or put the correct file at ${kept} yourself.`,
    );
  }
  copyFileSync(fetched, `${kept}.partial`);
  renameSync(`${kept}.partial`, kept);
}
