/** The Python environment: Python 3.11 with Spark, Java and the tools, installed by a pinned uv from hashed locks. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PYTHON_VERSION } from './environment.mjs';
import { SetUpError } from './failure.mjs';
import { machinePath, runInstaller } from './processes.mjs';
import { hashOf, isStamped, stamp } from './stamp.mjs';

/** @import { Locations } from './environment.mjs' */
/** @import { Part } from './ensure.mjs' */

const UV_LOCK = 'setup/requirements-uv.lock';
/** Pins the build dependencies of pyspark, the only package without a wheel. */
const BUILD_LOCK = 'setup/requirements-build.lock';

/** Any of these can install uv; uv then looks for 3.11 and downloads it if there is none. */
const pythonNames = [
  `python${PYTHON_VERSION}`,
  'python3',
  'python3.14',
  'python3.13',
  'python3.12',
  'python3.10',
  'python3.9',
  'python',
];
const probe =
  'import sys; assert sys.version_info >= (3, 9); print("python", flush=True); import ensurepip, venv';

/** @param {Locations} locations @returns {string} a Python of this machine that can create environments */
function findPython(locations) {
  let lacksVenv;
  for (const name of pythonNames) {
    const { status, stdout } = spawnSync(name, ['-c', probe], {
      encoding: 'utf8',
      env: { ...process.env, PATH: machinePath(locations) },
    });
    if (status === 0) return name;
    if (stdout?.startsWith('python')) lacksVenv ??= name;
  }
  throw new SetUpError(
    lacksVenv === undefined
      ? 'Python 3.9 or later is missing: install it (Debian, Ubuntu: apt-get install python3-venv; macOS: xcode-select --install) and run the command again.'
      : `The Python of this machine (${lacksVenv}) does not have the venv module: install it (Debian, Ubuntu: apt-get install python3-venv) and run the command again.`,
  );
}

/**
 * An environment contains absolute paths, so one that was moved with its project is out of date.
 * @param {Locations} locations
 * @param {readonly string[]} locks
 */
const fingerprint = (locations, locks) =>
  hashOf(
    locks.map((lock) => join(locations.projectRoot, lock)),
    [locations.projectRoot, process.platform, process.arch, PYTHON_VERSION],
  );

/**
 * This machine's pip settings about package sources, as settings of uv (uv does not read pip's).
 * @param {string} pipSettings the output of `pip config list`
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, string>}
 */
export function uvSettings(pipSettings, env) {
  /** @param {string} key */
  const setting = (key) => pipSettings.match(new RegExp(`(?:^|\\.)${key}='(.*)'$`, 'm'))?.[1];
  const index = env.UV_DEFAULT_INDEX ?? env.UV_INDEX_URL ?? setting('index-url');
  const authorities = env.SSL_CERT_FILE ?? setting('cert');
  return {
    ...(index === undefined ? {} : { UV_DEFAULT_INDEX: index }),
    ...(authorities === undefined ? {} : { SSL_CERT_FILE: authorities }),
  };
}

/** @param {Locations} locations @param {AbortSignal} signal */
async function installUv(locations, signal) {
  const wanted = fingerprint(locations, [UV_LOCK]);
  const python = join(locations.uvFolder, 'bin', 'python');
  if (isStamped(locations.uvFolder, wanted) && existsSync(python)) return;
  const what = 'uv, the installer of the Python packages';
  rmSync(locations.uvFolder, { recursive: true, force: true });
  const ownPython = findPython(locations);
  await runInstaller(locations, {
    what,
    logName: 'venv',
    command: ownPython,
    args: ['-m', 'venv', locations.uvFolder],
    signal,
  });
  await runInstaller(locations, {
    what,
    logName: 'uv',
    command: python,
    args: ['-m', 'pip', 'install', '--disable-pip-version-check', '--require-hashes', '-r', UV_LOCK],
    signal,
  });
  stamp(locations.uvFolder, wanted);
}

/**
 * A part of the set-up that is a Python environment.
 * @param {object} recipe
 * @param {string} recipe.title
 * @param {number} recipe.megabytes
 * @param {number} recipe.seconds
 * @param {(locations: Locations) => string} recipe.folder
 * @param {readonly string[]} recipe.locks the lock files whose packages it contains; it contains no others
 * @returns {Part}
 */
export const environmentOf = ({ title, megabytes, seconds, folder, locks }) => ({
  title,
  megabytes,
  seconds,

  isCurrent: (locations) =>
    isStamped(folder(locations), fingerprint(locations, locks)) &&
    existsSync(join(folder(locations), 'bin', 'python')),

  checkMachine(locations) {
    findPython(locations);
  },

  async install(locations, signal) {
    const target = folder(locations);
    rmSync(target, { recursive: true, force: true });
    await installUv(locations, signal);
    const pipSettings = await runInstaller(locations, {
      what: 'uv, the installer of the Python packages',
      logName: 'pip-settings',
      command: join(locations.uvFolder, 'bin', 'python'),
      args: ['-m', 'pip', 'config', 'list'],
      signal,
    });
    const uv = join(locations.uvFolder, 'bin', 'uv');
    const env = {
      ...uvSettings(pipSettings, process.env),
      UV_PYTHON_INSTALL_DIR: join(locations.environmentFolder, 'python-versions'),
    };
    await runInstaller(locations, {
      what: `Python ${PYTHON_VERSION} (which this machine does not have; you can also install it yourself)`,
      logName: 'python',
      command: uv,
      args: ['venv', '--no-project', '--python', PYTHON_VERSION, target],
      env,
      signal,
    });
    await runInstaller(locations, {
      what: 'the Python packages',
      logName: 'python-packages',
      command: uv,
      args: [
        ...['pip', 'sync', '--require-hashes', '--python', join(target, 'bin', 'python')],
        ...['--build-constraints', BUILD_LOCK],
        ...locks,
      ],
      env,
      signal,
    });
    stamp(target, fingerprint(locations, locks));
  },
});

/** What every command needs. */
export const pythonEnvironment = environmentOf({
  title: `Python ${PYTHON_VERSION} with Spark, Java and XGBoost`,
  megabytes: 1100,
  seconds: 30,
  folder: (locations) => locations.pythonFolder,
  locks: ['emr-steps/requirements.lock', 'setup/requirements-tools.lock'],
});

/** What the deployment tests need in addition: pass it to ensureSetUp. */
export const deployEmulator = environmentOf({
  title: 'An AWS emulator for the deployment tests',
  megabytes: 200,
  seconds: 10,
  folder: (locations) => locations.deployEmulatorFolder,
  locks: ['setup/requirements-deploy.lock'],
});

const notebookPackages = environmentOf({
  title: 'JupyterLab, pandas, matplotlib and seaborn for the notebooks',
  megabytes: 600,
  seconds: 20,
  folder: (locations) => locations.notebookFolder,
  locks: ['notebooks/requirements.lock'],
});

/** What notebooks need in addition, with the kernel that they name: pass it to ensureSetUp. @type {Part} */
export const notebookEnvironment = {
  ...notebookPackages,

  isCurrent: (locations) =>
    notebookPackages.isCurrent(locations) &&
    existsSync(join(locations.notebookFolder, 'share', 'jupyter', 'kernels', 'churn', 'kernel.json')),

  async install(locations, signal) {
    await notebookPackages.install(locations, signal);
    await runInstaller(locations, {
      what: 'the kernel of the notebooks',
      logName: 'notebook-kernel',
      command: join(locations.notebookFolder, 'bin', 'python'),
      args: ['-m', 'ipykernel', 'install', '--sys-prefix', '--name', 'churn', '--display-name', 'Churn'],
      signal,
    });
    return undefined;
  },
};

/** What the site of the documentation needs: pass it to ensureSetUp. */
export const siteEnvironment = environmentOf({
  title: 'MkDocs with Material, for the site of the documentation',
  megabytes: 80,
  seconds: 5,
  folder: (locations) => locations.siteFolder,
  locks: ['tools/site/requirements.lock'],
});
