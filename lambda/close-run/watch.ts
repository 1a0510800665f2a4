/** What the sweep measures: signs of trouble that no single run can tell of. */
import { KEYS } from '../../lib/domain/lake.ts';
import type { RunMetric } from '../../lib/domain/operations.ts';
import type { FunctionContext } from '../context.ts';
import { lakeUri } from '../json-objects.ts';
import type { Ports } from '../ports.ts';

const MILLISECONDS_PER_HOUR = 3_600_000;

export type Watched = Partial<Record<Extract<RunMetric, 'hoursSinceSuccess' | 'oldestClusterHours'>, number>>;

/** Hours since a run last succeeded (left out before the first one has), and the age of the oldest living cluster. */
export async function watch(ports: Ports, context: FunctionContext): Promise<Watched> {
  const hoursSince = (time: Date): number =>
    (ports.clock.now().getTime() - time.getTime()) / MILLISECONDS_PER_HOUR;
  // Every run that succeeds writes this pointer, and no other run does.
  const [current] = await ports.objects.list(lakeUri(context.lakeRoot, KEYS.current));
  const clusters = await ports.clusters.living();
  return {
    oldestClusterHours: Math.max(0, ...clusters.map(({ createdAt }) => hoursSince(createdAt))),
    ...(current === undefined ? {} : { hoursSinceSuccess: hoursSince(current.modifiedAt) }),
  };
}
