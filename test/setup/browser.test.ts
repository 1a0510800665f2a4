import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { browserOf, findBrowser } from '../../setup/browser.mjs';
import { locate } from '../../setup/environment.mjs';

const ROOT = 0;
const signal = new AbortController().signal;
let folder: string;
let chromium: string;

/** Puts an apt-get on the PATH that writes down how it is called. */
function haveApt(exitCode: number): void {
  writeFileSync(
    join(folder, 'apt-get'),
    `#!/bin/sh\necho "$@" >> '${join(folder, 'called')}'\n[ "$1" = update ] || ${exitCode === 0 ? `: > '${chromium}'` : `exit ${exitCode}`}\n`,
    { mode: 0o755 },
  );
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'browser-'));
  mkdirSync(join(folder, '.environment'));
  chromium = join(folder, 'chromium');
  vi.stubEnv('PATH', `${folder}:/bin`);
  vi.stubEnv('CHURN_BROWSER', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('the browser of the tests', () => {
  test('is installed by apt when root has none', async () => {
    haveApt(0);
    const part = browserOf({ places: [chromium], userId: ROOT });
    expect(part.isCurrent(locate(folder))).toBe(false);
    expect(await part.install(locate(folder), signal)).toBeUndefined();
    expect(readFileSync(join(folder, 'called'), 'utf8')).toBe(
      'update\ninstall --yes --no-install-recommends chromium\n',
    );
    expect(part.isCurrent(locate(folder))).toBe(true);
  });

  test('does not keep the other tests from running when it cannot be installed', async () => {
    haveApt(1);
    const part = browserOf({ places: [chromium], userId: ROOT });
    expect(await part.install(locate(folder), signal)).toMatch(/^Chromium could not be installed/);
    expect(existsSync(chromium)).toBe(false);
  });

  test.each([
    ['for a user who is not root', 1000, true],
    ['where there is no apt', ROOT, false],
  ])('is not installed %s', (_, userId, apt) => {
    if (apt) haveApt(0);
    else vi.stubEnv('PATH', folder);
    expect(browserOf({ places: [chromium], userId }).isCurrent(locate(folder))).toBe(true);
  });

  test('is the one that CHURN_BROWSER names, wherever it is', () => {
    expect(findBrowser([chromium])).toBeUndefined();
    const other = join(folder, 'other');
    writeFileSync(other, '');
    vi.stubEnv('CHURN_BROWSER', other);
    expect(findBrowser([chromium])).toBe(other);
  });
});
