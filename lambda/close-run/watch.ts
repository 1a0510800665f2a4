/** What the sweep measures: signs of trouble that no single run can tell of. */
import { KEYS } from '../../domain/lake.ts';
import type { RunMetric } from '../../domain/operations.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { jsonText, lakeUri } from '../run/json-objects.ts';

const MILLISECONDS_PER_HOUR = 3_600_000;

export type Watched = Record<Extract<RunMetric, 'hoursSinceSuccess' | 'oldestClusterHours'>, number>;

/** Hours since a run last succeeded, or since watching began when none ever has; and the age of the oldest living cluster. */
export async function watch(ports: Ports, context: FunctionContext): Promise<Watched> {
  const hoursSince = (time: Date): number =>
    (ports.clock.now().getTime() - time.getTime()) / MILLISECONDS_PER_HOUR;
  const clusters = await ports.clusters.living();
  return {
    oldestClusterHours: Math.max(0, ...clusters.map(({ createdAt }) => hoursSince(createdAt))),
    hoursSinceSuccess: hoursSince(await lastSuccess(ports, context)),
  };
}

/** A pipeline that never succeeds has no success to be measured from: the first sweep stands in for it. */
async function lastSuccess(ports: Ports, context: FunctionContext): Promise<Date> {
  // Every run that succeeds writes this pointer, and no other run does.
  const [current] = await ports.objects.list(lakeUri(context.lakeRoot, KEYS.current));
  return current?.modifiedAt ?? watchedSince(ports, context);
}

/** When the first sweep came; this one, where there is no mark of an earlier. */
async function watchedSince(ports: Ports, context: FunctionContext): Promise<Date> {
  const uri = lakeUri(context.lakeRoot, KEYS.watchedSince);
  const [marker] = await ports.objects.list(uri);
  if (marker !== undefined) return marker.modifiedAt;
  const now = ports.clock.now();
  await ports.objects.write(uri, jsonText({ watchedSince: now.toISOString() }), {
    condition: { kind: 'absent' },
    contentType: 'application/json',
  });
  return now;
}
