/** What a lifecycle rule does in the cloud: lists of users to contact do not outlive their time. */
import { rm, stat } from 'node:fs/promises';
import { glob } from 'tinyglobby';
import { CAMPAIGN } from '../../domain/lake-objects.ts';

const DAY_MILLISECONDS = 86_400_000;

/** Removes the lists that are older than so many days. @returns how many they were */
export async function removeExpiredCampaigns(lake: string, days: number, now: Date): Promise<number> {
  const paths = await glob(CAMPAIGN.of('*').key, { cwd: lake, absolute: true });
  const oldest = now.getTime() - days * DAY_MILLISECONDS;
  const ages = await Promise.all(paths.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })));
  const expired = ages.filter(({ at }) => at < oldest);
  await Promise.all(expired.map(({ path }) => rm(path, { force: true })));
  return expired.length;
}
