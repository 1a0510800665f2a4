/** An installed browser in which tests open pages. */
import { findBrowser } from '../../setup/browser.mjs';

/** Path of the browser; undefined when none is installed. */
export const browserExecutable = findBrowser();

/** In CI a missing browser is a failure: tests that do not run there run nowhere. */
export const mustHaveBrowser =
  process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';
