/** Installs what is missing; takes a few milliseconds if nothing is. */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { explainSystemError, SetUpError } from './failure.mjs';
import { icebergJar } from './iceberg-jar.mjs';
import { ownJava } from './java.mjs';
import { withLock } from './lock.mjs';
import { nodePackages } from './node-packages.mjs';
import { createProgress } from './progress.mjs';
import { refuseDeadProxy } from './proxy.mjs';
import { pythonEnvironment } from './python-environment.mjs';
import { sparkClasses } from './spark-classes.mjs';

/** @import { Locations } from './environment.mjs' */
/** @import { Progress } from './progress.mjs' */

/**
 * One thing that the set-up installs.
 * @typedef {object} Part
 * @property {string} title shown to the user
 * @property {number} megabytes approximate size on disk
 * @property {number} seconds approximate duration with a fast network
 * @property {(locations: Locations) => boolean} isCurrent whether it is complete and up to date
 * @property {(locations: Locations) => void} [checkMachine] throws if the machine lacks something that `install` needs
 * @property {(locations: Locations, signal: AbortSignal) => Promise<string | undefined>} install replaces any existing installation;
 *   returns a remark for the user, if there is one
 */

/** In the order of their dependencies. @type {readonly Part[]} */
const allParts = [nodePackages, pythonEnvironment, ownJava, icebergJar, sparkClasses];

const MEGABYTE = 1_000_000;
const OLDEST_NODE = 20;

function refuseUnsupportedMachine() {
  if (process.platform === 'win32') {
    throw new SetUpError(
      'Windows is not supported directly: run this in the Windows Subsystem for Linux (WSL).',
    );
  }
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new SetUpError(`Node ${process.versions.node} is too old: install Node ${OLDEST_NODE} or later.`);
  }
}

/** @param {Locations} locations @param {number} megabytes */
function refuseFullDisk(locations, megabytes) {
  const { bavail, bsize } = statfsSync(locations.projectRoot);
  const free = Math.floor((bavail * bsize) / MEGABYTE);
  if (free < megabytes) {
    throw new SetUpError(
      `The disk is too full: the set-up needs about ${megabytes} MB in ${locations.projectRoot}, and ${free} MB are free.`,
    );
  }
}

/**
 * Aborts `work` cleanly on Ctrl-C or a kill.
 * @param {(signal: AbortSignal) => Promise<void>} work
 */
async function interruptibly(work) {
  const controller = new AbortController();
  /** @param {NodeJS.Signals} _name @param {number} number */
  const interrupt = (_name, number) =>
    controller.abort(
      new SetUpError('The set-up was interrupted; the next command continues it.', 128 + number),
    );
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/**
 * @param {Locations} locations
 * @param {readonly Part[]} parts
 * @param {Progress} progress
 * @param {AbortSignal} signal
 */
async function install(locations, parts, progress, signal) {
  const missing = parts.filter((part) => !part.isCurrent(locations));
  if (missing.length === 0) return;
  const megabytes = missing.reduce((sum, part) => sum + part.megabytes, 0);
  const seconds = missing.reduce((sum, part) => sum + part.seconds, 0);
  refuseFullDisk(locations, megabytes);
  for (const part of missing) part.checkMachine?.(locations);
  await refuseDeadProxy(process.env);
  progress.say(`Installing what is missing: about ${megabytes} MB, ${seconds} s with a fast network.`);
  for (const part of parts) {
    signal.throwIfAborted();
    // Checked again: replacing an earlier part makes the parts that were made from it out of date.
    if (part.isCurrent(locations)) continue;
    const remark = await progress.during(`${part.title} (${part.megabytes} MB, ${part.seconds} s)`, () =>
      part.install(locations, signal),
    );
    if (remark !== undefined) progress.say(`    ${remark}`);
  }
}

/**
 * @param {Locations} locations
 * @param {readonly Part[]} [parts]
 * @param {Progress} [progress]
 */
export async function ensureSetUp(locations, parts = allParts, progress = createProgress()) {
  refuseUnsupportedMachine();
  if (parts.every((part) => part.isCurrent(locations))) return;

  const lockFile = join(locations.environmentFolder, 'set-up.lock');
  /** @param {string} holder */
  const onWait = (holder) =>
    progress.say(`Another process (${holder}) is setting up this project; waiting for it ...`);
  try {
    await interruptibly((signal) =>
      // A previous holder of the lock may have installed everything, so what is missing is determined under the lock.
      withLock(lockFile, { onWait, signal }, () => install(locations, parts, progress, signal)),
    );
  } catch (error) {
    throw explainSystemError(error, locations.projectRoot);
  }
}
