import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownLog } from '../../bench/logs.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a log of the user's own is its .json files in the order of their names", async () => {
  for (const name of ['2018-10-02.json', '2018-10-01.json', 'notes.txt']) {
    writeFileSync(join(folder, name), name);
  }
  expect(await ownLog(`${folder}/`)).toEqual({
    name: basename(folder),
    folder,
    files: ['2018-10-01.json', '2018-10-02.json'],
    bytes: 30,
  });
});

test('a folder without a file for the first run and one for the second is refused', async () => {
  writeFileSync(join(folder, 'only.json'), '');
  await expect(ownLog(folder)).rejects.toThrow(`${folder} must hold two .json files or more`);
});
