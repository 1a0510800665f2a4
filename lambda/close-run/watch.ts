/** What the sweep measures: signs of trouble that no single run can show. */
import { CURRENT, WATCHED_SINCE } from '../../domain/lake-objects.ts';
import type { RunMetric } from '../../domain/operations.ts';
import type { World } from '../run/world.ts';

const MILLISECONDS_PER_HOUR = 3_600_000;

export type Watched = Record<
  Extract<RunMetric, 'sweeps' | 'hoursSinceSuccess' | 'oldestClusterHours'>,
  number
>;

/**
 * Hours since a run last succeeded, or since the first sweep if none ever has; and the age of the oldest living cluster.
 * The heartbeat goes with them, so that it is missing whenever they are.
 */
export async function watch(world: World): Promise<Watched> {
  const hoursSince = (time: Date): number =>
    (world.clock.now().getTime() - time.getTime()) / MILLISECONDS_PER_HOUR;
  const clusters = await world.clusters.living();
  return {
    sweeps: 1,
    oldestClusterHours: Math.max(0, ...clusters.map(({ createdAt }) => hoursSince(createdAt))),
    hoursSinceSuccess: hoursSince(await lastSuccess(world)),
  };
}

/** A pipeline that has never succeeded is measured from the first sweep instead. */
async function lastSuccess(world: World): Promise<Date> {
  // Every run that succeeds writes this pointer, and no other run does.
  return (await world.lake.modifiedAt(CURRENT)) ?? watchedSince(world);
}

/** When the first sweep was; this is the first one if an earlier one has left no marker. */
async function watchedSince({ lake, clock }: World): Promise<Date> {
  const marked = await lake.modifiedAt(WATCHED_SINCE);
  if (marked !== undefined) return marked;
  const now = clock.now();
  await lake.create(WATCHED_SINCE, { watchedSince: now.toISOString() });
  return now;
}
