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

describe('the lock of the set-up', () => {
  test('is held during the work and gone afterwards, also when the work fails', async () => {
    await expect(
      withLock(file, options(), async () => {
        expect(readFileSync(file, 'utf8')).toMatch(`${process.pid} `);
        throw new Error('broken');
      }),
    ).rejects.toThrow('broken');
    expect(existsSync(file)).toBe(false);
  });

  test('makes a second one wait, and tells it once for whom', async () => {
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

  test('of a process that died is taken over', async () => {
    await withLock(file, options(), async () => {}); // makes the folder
    const numberOfNoProcess = 2 ** 22 + 1;
    writeFileSync(file, `${numberOfNoProcess} ${hostname()} 0`);
    const onWait = vi.fn();
    expect(await withLock(file, options(onWait), async () => 'done')).toBe('done');
    expect(onWait).not.toHaveBeenCalled();
  });

  test('without a sign of life for long is taken over, whatever process has the number now', async () => {
    await withLock(file, options(), async () => {});
    writeFileSync(file, `${process.pid} ${hostname()} 0`);
    const longAgo = new Date(Date.now() - 10 * 60_000);
    utimesSync(file, longAgo, longAgo);
    expect(await withLock(file, options(), async () => 'done')).toBe('done');
  });

  test('stops waiting when interrupted', async () => {
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
