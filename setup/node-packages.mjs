/** The npm packages: installed when node_modules does not match package-lock.json. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SetUpError } from './failure.mjs';
import { runInstaller } from './processes.mjs';

/** @import { Locations } from './environment.mjs' */
/** @import { Part } from './ensure.mjs' */

/**
 * What npm records about each package, in package-lock.json and, once installed, in node_modules.
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage
 */

/** npm writes this file when all packages are in place. @param {Locations} locations */
const installedLock = (locations) => join(locations.projectRoot, 'node_modules', '.package-lock.json');

/** @param {string} file @returns {Record<string, LockedPackage>} */
const packagesIn = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/** @param {LockedPackage} entry */
const identity = ({ version, integrity }) => ({ version, integrity });

/** @param {Locations} locations */
function matchesLock(locations) {
  if (!existsSync(installedLock(locations))) return false;
  const installed = packagesIn(installedLock(locations));
  const { '': _project, ...wanted } = packagesIn(join(locations.projectRoot, 'package-lock.json'));
  return (
    Object.keys(installed).every((path) => path in wanted) &&
    Object.entries(wanted).every(([path, entry]) => {
      const found = installed[path];
      // npm leaves out packages for other kinds of machines.
      if (found === undefined) return entry.optional === true;
      return isDeepStrictEqual(identity(found), identity(entry));
    })
  );
}

/** @param {Locations} locations @param {AbortSignal} signal */
async function runNpm(locations, signal) {
  // Removed first: an interrupted npm must not leave it beside half of the packages.
  rmSync(installedLock(locations), { force: true });
  await runInstaller(locations, {
    what: 'the npm packages',
    logName: 'npm',
    command: 'npm',
    args: ['ci', '--include=dev', '--include=optional', '--loglevel=error', '--no-progress'],
    signal,
  });
}

/**
 * Makes Node 22 the `node` of npm scripts. Newer versions of npm do this themselves; npm 10 removes the link again
 * when it drops the Node packages for other machines.
 * @param {Locations} locations
 */
function linkNode(locations) {
  const names = ['node', 'node-bin'].map((prefix) => `${prefix}-${process.platform}-${process.arch}`);
  const name = names.find((each) => existsSync(join(locations.projectRoot, 'node_modules', each)));
  if (name !== undefined) {
    rmSync(locations.nodeExecutable, { force: true });
    symlinkSync(join('..', name, 'bin', 'node'), locations.nodeExecutable);
  }
  if (spawnSync(locations.nodeExecutable, ['--version']).status !== 0) {
    throw new SetUpError(
      `There is no Node 22 package that runs on this machine (${process.platform} ${process.arch}): ` +
        'use Linux with glibc, or macOS, on x64 or arm64.',
    );
  }
}

/** @type {Part} */
export const nodePackages = {
  title: 'npm packages, including Node 22',
  megabytes: 750,
  seconds: 20,

  isCurrent: (locations) => existsSync(locations.nodeExecutable) && matchesLock(locations),

  async install(locations, signal) {
    if (!matchesLock(locations)) await runNpm(locations, signal);
    linkNode(locations);
  },
};
