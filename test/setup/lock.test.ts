import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { withLock } from '../../setup/lock.mjs';

let folder: string;
let file: string;
const options = (onWait: (holder: string) => void = () => {}, signal = new AbortController().signal) => ({
  onWait,
  signal,
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  file = join(folder, 'inside', 'set-up.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the set-up lock', () => {
  test('is held during the work and removed afterwards, even if the work fails', async () => {
    await expect(
      withLock(file, options(), async () => {
        expect(readFileSync(file, 'utf8')).toMatch(`${process.pid} `);
        throw new Error('broken');
      }),
    ).rejects.toThrow('broken');
    expect(existsSync(file)).toBe(false);
  });

  test('makes a second process wait and reports the holder once', async () => {
    const order: string[] = [];
    const onWait = vi.fn();
    const first = withLock(file, options(), async () => {
      await sleep(50);
      order.push('first');
    });
    const second = withLock(file, options(onWait), async () => {
      order.push('second');
    });
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(onWait).toHaveBeenCalledExactlyOnceWith(String(process.pid));
  });

  test('is taken over from a process that died', async () => {
    await withLock(file, options(), async () => {}); // creates the folder
    const numberOfNoProcess = 2 ** 22 + 1;
    writeFileSync(file, `${numberOfNoProcess} ${hostname()} 0`);
    const onWait = vi.fn();
    expect(await withLock(file, options(onWait), async () => 'done')).toBe('done');
    expect(onWait).not.toHaveBeenCalled();
  });

  test('is taken over after a minute without a sign of life, even if another process has the process id now', async () => {
    await withLock(file, options(), async () => {});
    writeFileSync(file, `${process.pid} ${hostname()} 0`);
    const longAgo = new Date(Date.now() - 10 * 60_000);
    utimesSync(file, longAgo, longAgo);
    expect(await withLock(file, options(), async () => 'done')).toBe('done');
  });

  test('can be interrupted while waiting', async () => {
    const controller = new AbortController();
    await withLock(file, options(), async () => {
      const waiting = withLock(
        file,
        options(() => controller.abort(), controller.signal),
        async () => {},
      );
      await expect(waiting).rejects.toThrow(/abort/i);
    });
  });
});
