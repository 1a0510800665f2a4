/** The installer itself, run as a user would run it, on a small copy of the project. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { locate, projectRoot } from '../../setup/environment.mjs';
import { nodePackages } from '../../setup/node-packages.mjs';

let folder: string;
let programs: string;

/** Writes a program that the installer finds on its PATH. */
const program = (name: string, script: string) =>
  writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, 'setup', 'run.mjs'), ...args],
    {
      encoding: 'utf8',
      env: { PATH: programs, CI: 'true' },
    },
  );
  return { status, stdout, stderr };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'project-'));
  programs = join(folder, 'programs');
  mkdirSync(programs);
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  for (const path of [
    'setup',
    'emr-steps/requirements.lock',
    'package-lock.json',
    'node_modules/.package-lock.json',
  ]) {
    cpSync(join(projectRoot, path), join(folder, path), { recursive: true });
  }
  symlinkSync(process.execPath, locate(folder).nodeExecutable);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the set-up', () => {
  test('prints one sentence with the remedy on a machine without Python', () => {
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^Python 3\.9 or later is missing: install it \(.*\) and run the command again\.\n$/,
    );
  });

  test('says so when Python does not have the venv module', () => {
    program('python3', 'echo python; exit 1');
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^The Python of this machine \(python3\) does not have the venv module: install it .*\n$/,
    );
  });

  test('shows what it was installing and keeps the log when an installer fails', () => {
    program('python3', 'case "$*" in *venv*/uv) echo "No space left on device" >&2; exit 1;; esac');
    const { status, stderr } = run();
    const log = join(folder, '.environment', 'logs', 'venv.log');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Installing what is missing: about \d+ MB/);
    expect(stderr).toMatch(/ {2}Python 3\.11 with Spark, Java and XGBoost \(.*\) \.\.\.\n/);
    expect(stderr.trimEnd()).toMatch(/The disk is full, .*\(Details: .*venv\.log\)$/);
    expect(readFileSync(log, 'utf8')).toContain('No space left on device');
    expect(existsSync(join(folder, '.environment', 'set-up.lock'))).toBe(false);
  });
});

describe('the npm packages', () => {
  const installed = () => join(folder, 'node_modules', '.package-lock.json');
  const isCurrent = () => nodePackages.isCurrent(locate(folder));

  test('are up to date when node_modules matches the lock file', () => {
    expect(isCurrent()).toBe(true);
  });

  test.each([
    [
      'another version',
      (text: string) => text.replace(/(node_modules\/zod": {\s*"version": )"[^"]*"/, '$1"0.0.0"'),
    ],
    ['other content', (text: string) => text.replace(/"integrity": "[^"]*"/, '"integrity": "sha512-x"')],
    [
      'an additional package',
      (text: string) => text.replace('"packages": {', '"packages": { "node_modules/x": {},'),
    ],
  ])('are reinstalled when node_modules holds %s', (_difference, change) => {
    writeFileSync(installed(), change(readFileSync(installed(), 'utf8')));
    expect(isCurrent()).toBe(false);
  });

  test('are reinstalled when npm was interrupted', () => {
    rmSync(installed());
    expect(isCurrent()).toBe(false);
  });

  test('get only the link to Node 22 when npm 10 has left it out', async () => {
    const { nodeExecutable } = locate(folder);
    const name = `node-${process.platform}-${process.arch}`;
    mkdirSync(join(folder, 'node_modules', name, 'bin'), { recursive: true });
    symlinkSync(process.execPath, join(folder, 'node_modules', name, 'bin', 'node'));
    rmSync(nodeExecutable);
    expect(isCurrent()).toBe(false);
    await nodePackages.install(locate(folder), new AbortController().signal);
    expect(isCurrent()).toBe(true);
    expect(realpathSync(nodeExecutable)).toBe(realpathSync(process.execPath));
  });
});
