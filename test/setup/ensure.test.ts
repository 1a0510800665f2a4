import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureSetUp, type Part } from '../../setup/ensure.mjs';
import { locate } from '../../setup/environment.mjs';
import { SetUpError } from '../../setup/failure.mjs';

let folder: string;
let said: string[];
const progress = {
  say: (line: string) => void said.push(line),
  during: <T>(what: string, work: () => Promise<T>) => {
    said.push(what);
    return work();
  },
};

/** A part that installs a file; `install` may be replaced. */
function part(name: string, install?: Part['install']): Part & { installations: number } {
  const file = () => join(folder, name);
  const made = {
    title: name,
    megabytes: 1,
    seconds: 1,
    installations: 0,
    isCurrent: () => existsSync(file()),
    async install(...args: Parameters<Part['install']>) {
      made.installations += 1;
      const remark = await install?.(...args);
      writeFileSync(file(), '');
      return remark;
    },
  };
  return made;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ensure-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('ensureSetUp', () => {
  test('installs the missing parts in order and lists them', async () => {
    const [a, b, c] = [part('a'), part('b'), part('c')];
    writeFileSync(join(folder, 'b'), '');
    await ensureSetUp(locate(folder), [a, b, c], progress);
    expect([a.installations, b.installations, c.installations]).toEqual([1, 0, 1]);
    expect(said).toEqual([
      'Installing what is missing: about 2 MB, 2 s with a fast network.',
      'a (1 MB, 1 s)',
      'c (1 MB, 1 s)',
    ]);
  });

  test('does nothing and prints nothing when no part is missing', async () => {
    const a = part('a');
    await ensureSetUp(locate(folder), [a], progress);
    said = [];
    await ensureSetUp(locate(folder), [a], progress);
    expect(a.installations).toBe(1);
    expect(said).toEqual([]);
  });

  test('called twice at the same time installs once', async () => {
    const slow = part('slow', () => sleep(30));
    await Promise.all([
      ensureSetUp(locate(folder), [slow], progress),
      ensureSetUp(locate(folder), [slow], progress),
    ]);
    expect(slow.installations).toBe(1);
    expect(said).toContain(`Another process (${process.pid}) is setting up this project; waiting for it ...`);
  });

  test('keeps what was installed before a failure and installs the rest the next time', async () => {
    let network = false;
    const first = part('first');
    const second = part('second', async () => {
      if (!network) throw new SetUpError('No network.');
    });
    await expect(ensureSetUp(locate(folder), [first, second], progress)).rejects.toThrow('No network.');
    network = true;
    await ensureSetUp(locate(folder), [first, second], progress);
    expect([first.installations, second.installations]).toEqual([1, 2]);
  });

  test('reinstalls in the same call a part that was made from a part it has replaced', async () => {
    const source = part('source');
    const derived = part('derived');
    const madeFromIt = { ...derived, isCurrent: () => derived.installations > source.installations };
    const unconcerned = part('unconcerned');
    writeFileSync(join(folder, 'unconcerned'), '');
    derived.installations = 1;
    await ensureSetUp(locate(folder), [source, madeFromIt, unconcerned], progress);
    expect([source.installations, derived.installations, unconcerned.installations]).toEqual([1, 2, 0]);
    expect(said.slice(1)).toEqual(['source (1 MB, 1 s)', 'derived (1 MB, 1 s)']);
  });

  test('prints the remark that a part returns', async () => {
    await ensureSetUp(locate(folder), [part('a', async () => 'Without its ribbon.'), part('b')], progress);
    expect(said.slice(1)).toEqual(['a (1 MB, 1 s)', '    Without its ribbon.', 'b (1 MB, 1 s)']);
  });

  test('checks the machine for all parts before it installs the first one', async () => {
    const first = part('first');
    const demanding = {
      ...part('demanding'),
      checkMachine: () => {
        throw new SetUpError('Python is missing.');
      },
    };
    await expect(ensureSetUp(locate(folder), [first, demanding], progress)).rejects.toThrow(
      'Python is missing.',
    );
    expect(first.installations).toBe(0);
  });

  test('refuses a disk that is too full and says how much space is needed', async () => {
    const huge = { ...part('huge'), megabytes: 1e12 };
    await expect(ensureSetUp(locate(folder), [huge], progress)).rejects.toThrow(
      /^The disk is too full: the set-up needs about 1000000000000 MB in .*, and \d+ MB are free\.$/,
    );
  });
});
