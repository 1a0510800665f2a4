/** What lifecycle rules do in the cloud: objects that are kept for the days of a setting do not outlive them. */
import { rm, stat } from 'node:fs/promises';
import { glob } from 'tinyglobby';
import type { RunSettings } from '../../domain/run.ts';
import { EXPIRING_PLACES } from '../../domain/user-id-places.ts';

const DAY_MILLISECONDS = 86_400_000;

/** Removes the objects that are older than that. @returns how many they were */
export async function removeExpired(
  lake: string,
  settings: Pick<RunSettings, (typeof EXPIRING_PLACES)[number]['setting']>,
  now: Date,
): Promise<number> {
  let removed = 0;
  for (const { object, setting } of EXPIRING_PLACES) {
    const paths = await glob(object.of('*').key, { cwd: lake, absolute: true });
    const oldest = now.getTime() - settings[setting] * DAY_MILLISECONDS;
    for (const path of paths) {
      if ((await stat(path)).mtimeMs >= oldest) continue;
      await rm(path, { force: true });
      removed += 1;
    }
  }
  return removed;
}
