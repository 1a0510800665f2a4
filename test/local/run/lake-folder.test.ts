import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LakeFolderError, openExistingLake, openLake } from '../../../local/run/lake-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lakes ')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the folder of a local lake', () => {
  it('is created if there is none, and can be opened again', async () => {
    const lake = await openLake(join(folder, 'new/lake'));
    expect(lake).toMatchObject({ path: join(folder, 'new/lake'), root: `file://${folder}/new/lake` });
    expect(await openLake(join(folder, 'new/lake'))).toEqual(lake);
    expect(await openExistingLake(join(folder, 'new/lake'))).toEqual(lake);
  });

  it('may already contain a generated log', async () => {
    await mkdir(join(folder, 'lake/generated-log'), { recursive: true });
    expect((await openLake(join(folder, 'lake'))).path).toBe(join(folder, 'lake'));
  });

  it('is refused if it was moved, and the error says where it belongs', async () => {
    await openLake(join(folder, 'before'));
    await rename(join(folder, 'before'), join(folder, 'after'));
    await expect(openLake(join(folder, 'after'))).rejects.toThrow(
      `Move it back to ${join(folder, 'before')}`,
    );
    await expect(openExistingLake(join(folder, 'after'))).rejects.toThrow(LakeFolderError);
  });

  it('is refused if it contains something else, and the error names it', async () => {
    await writeFile(join(folder, 'thesis.doc'), '');
    await expect(openLake(folder)).rejects.toThrow('thesis.doc');
  });

  it('that cannot be created or does not exist is a clear error', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(openLake(join(folder, 'file/lake'))).rejects.toThrow(LakeFolderError);
    await expect(openExistingLake(join(folder, 'nothing'))).rejects.toThrow('There is no lake');
  });

  it('is not treated as new if its record is damaged', async () => {
    await openLake(join(folder, 'lake'));
    await writeFile(join(folder, 'lake/local/lake.json'), '{');
    await expect(openLake(join(folder, 'lake'))).rejects.toThrow('damaged');
  });
});
