import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashOf, isStamped, stamp } from '../../setup/stamp.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stamp-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the stamp of an installation', () => {
  test('is valid only for the content that it was made from', () => {
    const lock = join(folder, 'a.lock');
    writeFileSync(lock, 'numpy==1');
    stamp(folder, hashOf([lock], ['linux']));
    expect(isStamped(folder, hashOf([lock], ['linux']))).toBe(true);
    expect(isStamped(folder, hashOf([lock], ['darwin']))).toBe(false);
    writeFileSync(lock, 'numpy==2');
    expect(isStamped(folder, hashOf([lock], ['linux']))).toBe(false);
  });

  test('is absent from a folder that is incomplete or missing', () => {
    expect(isStamped(folder, hashOf([], []))).toBe(false);
    expect(isStamped(join(folder, 'missing'), hashOf([], []))).toBe(false);
  });

  test('distinguishes contents that concatenate to the same text', () => {
    expect(hashOf([], ['ab', 'c'])).not.toBe(hashOf([], ['a', 'bc']));
  });
});
