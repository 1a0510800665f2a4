import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { locate } from '../../setup/environment.mjs';
import { ownJava } from '../../setup/java.mjs';

const arm = { platform: 'linux', arch: 'arm64' };
const signal = new AbortController().signal;
let folder: string;

/** Puts a Java of this version on the PATH. */
function installJava(version: string): void {
  const bin = join(folder, 'jvm', 'bin');
  mkdirSync(bin, { recursive: true });
  const properties = `    java.home = ${join(folder, 'jvm')}\n    java.specification.version = ${version}`;
  writeFileSync(join(bin, 'java'), `#!/bin/sh\necho '${properties}' >&2\n`, { mode: 0o755 });
  vi.stubEnv('PATH', bin);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'java-'));
  mkdirSync(join(folder, '.environment'));
  vi.stubEnv('JAVA_HOME', undefined);
  vi.stubEnv('PATH', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('the set-up of Java', () => {
  test('needs no Java on machines for which a package provides it', () => {
    expect(ownJava.isCurrent(locate(folder, { platform: 'linux', arch: 'x64' }))).toBe(true);
    expect(ownJava.isCurrent(locate(folder, { platform: 'darwin', arch: 'arm64' }))).toBe(true);
  });

  test("uses the machine's own Java on Linux on ARM", async () => {
    const locations = locate(folder, arm);
    expect(ownJava.isCurrent(locations)).toBe(false);
    installJava('17');
    await ownJava.install(locations, signal);
    expect(ownJava.isCurrent(locations)).toBe(true);
    expect(realpathSync(locations.javaHome)).toBe(realpathSync(join(folder, 'jvm')));
  });

  test('names the remedy when Java is missing or has another version', () => {
    const remedy = /^Java 17 is missing.*install it .*openjdk-17/;
    expect(() => ownJava.checkMachine?.(locate(folder, arm))).toThrow(remedy);
    installJava('21');
    expect(() => ownJava.checkMachine?.(locate(folder, arm))).toThrow(remedy);
  });
});
