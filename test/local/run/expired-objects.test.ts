/** Lists of users to contact are removed from a local lake after their time, and nothing else is. */
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CAMPAIGN, PLAN } from '../../../domain/lake-objects.ts';
import { removeExpired } from '../../../local/run/expired-objects.ts';

const NOW = new Date('2018-12-31T00:00:00Z');

let lake: string;
beforeEach(async () => {
  lake = await mkdtemp(join(tmpdir(), 'campaigns '));
});
afterEach(() => rm(lake, { recursive: true }));

async function put(key: string, ageDays: number): Promise<void> {
  const path = join(lake, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'text');
  const at = new Date(NOW.getTime() - ageDays * 86_400_000);
  await utimes(path, at, at);
}

it('removes the lists that are older than the days of the setting', async () => {
  for (const [run, age] of [
    ['old', 30.1],
    ['new', 29.9],
  ] as const) {
    await put(CAMPAIGN.of(run).key, age);
    await put(PLAN.of(run).key, age);
  }
  expect(await removeExpired(lake, { campaignDays: 30 }, NOW)).toBe(1);
  expect((await readdir(lake, { recursive: true })).sort()).toEqual(
    ['runs', 'runs/new', CAMPAIGN.of('new').key, PLAN.of('new').key, 'runs/old', PLAN.of('old').key].sort(),
  );
  expect(await removeExpired(join(lake, 'none'), { campaignDays: 30 }, NOW)).toBe(0);
});
