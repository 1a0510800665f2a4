import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addToList } from '../../bin/commands/forget.ts';
import { forgottenUsersSchema } from '../../lib/domain/forgotten-users.ts';
import { KEYS } from '../../lib/domain/lake.ts';
import { openLake } from '../../local/lake-folder.ts';
import { ContentTags } from '../../local/ports/content-tags.ts';
import { FolderStore } from '../../local/ports/folder-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'forget-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the list of users to be forgotten', () => {
  it('grows, and holds no id as it is', async () => {
    const lake = await openLake(folder);
    const objects = new FolderStore(new ContentTags(lake.contentTags));
    await addToList(objects, lake.root, ['4711']);
    await addToList(objects, lake.root, ['4712', '4711']);
    const text = await readFile(join(folder, KEYS.forgottenUsers), 'utf8');
    expect(forgottenUsersSchema.parse(JSON.parse(text)).hashes).toHaveLength(2);
    expect(text).not.toMatch(/"471[12]"/);
  });

  it('is not overwritten when somebody else changed it in the same moment', async () => {
    const lake = await openLake(folder);
    const objects = new FolderStore(new ContentTags(lake.contentTags));
    const attempts = await Promise.allSettled([
      addToList(objects, lake.root, ['1']),
      addToList(objects, lake.root, ['2']),
    ]);
    const refusals = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
    for (const reason of refusals) expect(String(reason)).toMatch(/changed by somebody else/);
    const text = await readFile(join(folder, KEYS.forgottenUsers), 'utf8');
    const listed = forgottenUsersSchema.parse(JSON.parse(text)).hashes.length;
    expect(listed).toBe(attempts.length - refusals.length);
  });

  it('is left in place by a lake that is made anew', async () => {
    const first = await openLake(folder);
    await addToList(new FolderStore(new ContentTags(first.contentTags)), first.root, ['1']);
    await rm(join(folder, 'local'), { recursive: true });
    await expect(openLake(folder)).resolves.toMatchObject({ path: first.path });
  });
});
