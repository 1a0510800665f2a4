/** An installed browser in which tests open pages. Nothing is downloaded. */
import { existsSync } from 'node:fs';

const PLACES = [
  process.env.CHURN_BROWSER,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];

/** Path of the browser; undefined when none is installed. */
export const browserExecutable = PLACES.find((place) => place !== undefined && existsSync(place));

/** In CI a missing browser is a failure: tests that do not run there run nowhere. */
export const mustHaveBrowser =
  process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';
