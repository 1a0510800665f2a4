/** A browser for the tests that open pages. An installed one is used; as root on Debian one is installed by apt. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetUpError } from './failure.mjs';
import { logFileOf, runInstaller } from './processes.mjs';

/** @import { Part } from './ensure.mjs' */

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];

/** What is said where the tests in a browser are not run. */
export const NO_BROWSER =
  'Not run: the tests in a browser, because no Chromium, Chrome or Edge is installed. Install one, or name it in CHURN_BROWSER; ' +
  'as root on Debian npm test installs Chromium itself.';

/**
 * Path of the browser; undefined when none is installed.
 * @param {readonly string[]} [places]
 */
export const findBrowser = (places = PLACES) =>
  [process.env.CHURN_BROWSER ?? '', ...places].find((place) => place !== '' && existsSync(place));

/** Whether packages can be installed for the machine without asking anybody. */
const mayInstall = (userId = process.getuid?.()) => userId === 0 && onPath('apt-get');

/** @param {string} name */
function onPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * What `npm test` needs in addition. A machine on which nothing can be installed counts as complete: the tests that are not
 * run are named, and in CI their absence fails.
 * @param {{ readonly places?: readonly string[], readonly userId?: number }} [machine]
 * @returns {Part}
 */
export const browserOf = ({ places, userId } = {}) => ({
  title: 'Chromium, for the tests in a browser',
  megabytes: 400,
  seconds: 40,

  isCurrent: () => findBrowser(places) !== undefined || !mayInstall(userId),

  async install(locations, signal) {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    /** @param {readonly string[]} args @param {string} logName */
    const apt = (args, logName) =>
      runInstaller(locations, { what: 'Chromium', logName, command: 'apt-get', args, env, signal });
    try {
      await apt(['update'], 'apt-update');
      await apt(['install', '--yes', '--no-install-recommends', 'chromium'], 'chromium');
    } catch (error) {
      if (signal.aborted || !(error instanceof SetUpError)) throw error;
      return `Chromium could not be installed (see ${logFileOf(locations, 'chromium')}).`;
    }
    return undefined;
  },
});
