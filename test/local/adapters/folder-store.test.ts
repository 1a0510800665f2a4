import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allOf } from '../../../lambda/ports/pages.ts';
import { ContentTags } from '../../../local/adapters/content-tags.ts';
import { copied, withFileLock } from '../../../local/adapters/file-lock.ts';
import { filePath, fileUri } from '../../../local/adapters/file-uris.ts';
import { FolderStore } from '../../../local/adapters/folder-store.ts';
import { projectRoot } from '../../../setup/environment.mjs';

let folder: string;
let store: FolderStore;
const at = (name: string): string => fileUri(join(folder, name));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder store [1] '));
  store = new FolderStore(new ContentTags(join(folder, '.tags.json')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the object store in a folder', () => {
  it('reads back what was written, and undefined if there is no object', async () => {
    expect(await store.read(at('runs/1/plan.json'))).toBeUndefined();
    expect(await store.write(at('runs/1/plan.json'), '{"é": 1}')).toBe('written');
    expect((await store.read(at('runs/1/plan.json')))?.text).toBe('{"é": 1}');
    expect(await readdir(join(folder, 'runs/1'))).toEqual(['plan.json']);
  });

  it('reads the lines of an object, and none if there is no object', async () => {
    await store.write(at('ledger.json'), '{"é": 1}\n{}\n');
    expect(await allOf(store.lines(at('ledger.json')))).toEqual(['{"é": 1}', '{}']);
    expect(await allOf(store.lines(at('nowhere.json')))).toEqual([]);
  });

  it('writes if the condition is met, and leaves the object unchanged otherwise', async () => {
    const lease = at('lease.json');
    expect(await store.write(lease, 'first', { condition: { kind: 'absent' } })).toBe('written');
    expect(await store.write(lease, 'second', { condition: { kind: 'absent' } })).toBe('conflict');
    const first = await store.read(lease);
    expect(first?.text).toBe('first');
    const unchanged = { kind: 'unchanged', etag: first?.etag ?? '' } as const;
    expect(await store.write(lease, 'second', { condition: unchanged })).toBe('written');
    expect(await store.write(lease, 'third', { condition: unchanged })).toBe('conflict');
    expect((await store.read(lease))?.text).toBe('second');
    await store.remove(lease);
    expect(await store.write(lease, 'fourth', { condition: unchanged })).toBe('conflict');
    expect(await store.read(lease)).toBeUndefined();
  });

  it('removes an object, and accepts that there is none', async () => {
    await store.write(at('a.json'), 'a');
    await store.remove(at('a.json'));
    await store.remove(at('a.json'));
    await store.remove(at('no/such/folder.json'));
    expect(await store.list(fileUri(folder))).toEqual([]);
  });

  it('lets exactly one of many simultaneous conditional writes succeed', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.write(at('lease.json'), `run ${index}`, { condition: { kind: 'absent' } }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(1);
  });

  it('loses no conditional write of several processes', async () => {
    const writers = 3;
    const increments = 15;
    await store.write(at('counter'), '0');
    const program = `
      import { ContentTags } from '${projectRoot}/local/adapters/content-tags.ts';
      import { FolderStore } from '${projectRoot}/local/adapters/folder-store.ts';
      const store = new FolderStore(new ContentTags(process.argv[1] + '.tags'));
      for (let done = 0; done < ${increments}; ) {
        const { text, etag } = await store.read(process.argv[1]);
        const next = String(Number(text) + 1);
        if ((await store.write(process.argv[1], next, { condition: { kind: 'unchanged', etag } })) === 'written') done += 1;
      }`;
    const run = promisify(execFile);
    await Promise.all(
      Array.from({ length: writers }, () =>
        run(process.execPath, ['--input-type=module', '--eval', program, at('counter')]),
      ),
    );
    expect((await store.read(at('counter')))?.text).toBe(String(writers * increments));
  });

  it('refuses addresses that are not on this machine', async () => {
    await expect(store.read('s3://bucket/key')).rejects.toThrow('file:///absolute/path');
    expect(() => fileUri('relative/path')).toThrow('not an absolute path');
    expect(filePath('file:///a/b%20c')).toBe('/a/b%20c');
  });
});

describe('a file lock', () => {
  it('is removed if a killed process left it behind', async () => {
    const file = join(folder, 'lease.json');
    await writeFile(join(folder, '.lease.json.lock'), JSON.stringify({ pid: 1, startedAt: 'long ago' }));
    expect(await withFileLock(file, async () => 'done')).toBe('done');
    expect(existsSync(join(folder, '.lease.json.lock'))).toBe(false);
  });

  it('keeps others out until it is released, even if the work fails', async () => {
    const file = join(folder, 'lease.json');
    const order: string[] = [];
    const first = withFileLock(file, async () => {
      order.push('first begins');
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push('first ends');
      throw new Error('failed');
    });
    const failed = expect(first).rejects.toThrow('failed');
    await expect.poll(() => order).toContain('first begins');
    await withFileLock(file, async () => order.push('second'));
    await failed;
    expect(order).toEqual(['first begins', 'first ends', 'second']);
  });
});

describe('the listing of a location', () => {
  const names = async (location: string): Promise<readonly string[]> =>
    (await store.list(location)).map(({ uri }) => uri.slice(at('').length + 1));

  beforeEach(async () => {
    await mkdir(join(folder, 'log/2018'), { recursive: true });
    await mkdir(join(folder, 'log/.cache'), { recursive: true });
    await writeFile(join(folder, 'log/b.json'), '{}');
    await writeFile(join(folder, 'log/2018/a.json.gz'), 'gz');
    await writeFile(join(folder, 'log/.cache/c.json'), '{}');
    await writeFile(join(folder, 'log/note.txt'), 'x');
  });

  it('contains everything below a folder, a single file, or the matches of a glob', async () => {
    expect(await names(at('log'))).toEqual(['log/2018/a.json.gz', 'log/b.json', 'log/note.txt']);
    expect(await names(`${at('log')}/`)).toHaveLength(3);
    expect(await names(at('log/b.json'))).toEqual(['log/b.json']);
    expect(await names(at('log/*.json'))).toEqual(['log/b.json']);
    expect(await names(at('nowhere'))).toEqual([]);
  });

  it('comes in pages in the order of the keys, from any address on', async () => {
    await writeFile(join(folder, 'log/\u{1f600}.json'), '{}');
    await writeFile(join(folder, 'log/\uff5e.json'), '{}');
    const paged = async (after?: string) =>
      (await allOf(store.pages(at('log'), after))).map(({ uri }) => uri.slice(at('log').length + 1));
    // A log's hidden files are listed, so that the run can name them.
    const all = ['.cache/c.json', '2018/a.json.gz', 'b.json', 'note.txt', '\uff5e.json', '\u{1f600}.json'];
    expect(await paged()).toEqual(all);
    expect(await paged(at('log/b.json'))).toEqual(all.slice(3));
  });

  it('tags a file by its content: a copy keeps the tag, a change gives another', async () => {
    const tag = async (): Promise<string | undefined> => (await store.list(at('log/b.json')))[0]?.etag;
    const before = await tag();
    await rm(join(folder, 'log/b.json'));
    await writeFile(join(folder, 'log/b.json'), '{}');
    expect(await tag()).toBe(before);
    await writeFile(join(folder, 'log/b.json'), '[]');
    expect(await tag()).not.toBe(before);
  });

  it('remembers the tag of an unchanged file', async () => {
    const file = join(folder, 'log/b.json');
    const [listed] = await store.list(at('log/b.json'));
    const fresh = new FolderStore(new ContentTags(join(folder, '.tags.json')));
    expect(await fresh.list(at('log/b.json'))).toEqual([listed]);
    // The same size and time, but another inode: hashed again.
    await rm(file);
    await writeFile(join(folder, 'other'), '');
    await writeFile(file, '[]');
    await utimes(file, listed?.modifiedAt ?? 0, listed?.modifiedAt ?? 0);
    expect((await fresh.list(at('log/b.json')))[0]?.etag).not.toBe(listed?.etag);
  });
});

describe('a file system without hard links', () => {
  it('still lets only one process create a file', async () => {
    await writeFile(join(folder, 'draft'), 'first');
    expect(await copied(join(folder, 'draft'), join(folder, 'lock'))).toBe(true);
    await writeFile(join(folder, 'draft'), 'second');
    expect(await copied(join(folder, 'draft'), join(folder, 'lock'))).toBe(false);
    expect((await store.read(at('lock')))?.text).toBe('first');
  });
});
