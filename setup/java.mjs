/** Java where no Python package provides version 17, which is on Linux on ARM: a link to the machine's own. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SetUpError } from './failure.mjs';

/** @import { Part } from './ensure.mjs' */

/** The newest version that Spark 3.5 fully supports. */
const JAVA_VERSION = '17';

/** @returns {string} the home of the machine's Java 17 */
function findJava() {
  const commands = [...(process.env.JAVA_HOME ? [join(process.env.JAVA_HOME, 'bin', 'java')] : []), 'java'];
  for (const command of commands) {
    const { stderr } = spawnSync(command, ['-XshowSettings:properties', '-version'], { encoding: 'utf8' });
    /** @param {string} key */
    const property = (key) => stderr?.match(new RegExp(`^ *${key} = (.*)$`, 'm'))?.[1];
    const home = property('java\\.home');
    if (home !== undefined && property('java\\.specification\\.version') === JAVA_VERSION) return home;
  }
  throw new SetUpError(
    `Java ${JAVA_VERSION} is missing, and no package provides it for this kind of machine: install it ` +
      `(Debian, Ubuntu: apt-get install openjdk-${JAVA_VERSION}-jre-headless) and run the command again.`,
  );
}

/** @type {Part} */
export const ownJava = {
  title: `Java ${JAVA_VERSION}, a link to this machine's own`,
  megabytes: 0,
  seconds: 0,

  isCurrent: ({ javaHome, ownJavaHome }) =>
    javaHome !== ownJavaHome || existsSync(join(ownJavaHome, 'bin', 'java')),

  checkMachine() {
    findJava();
  },

  async install({ ownJavaHome }) {
    rmSync(ownJavaHome, { force: true });
    symlinkSync(findJava(), ownJavaHome);
  },
};
