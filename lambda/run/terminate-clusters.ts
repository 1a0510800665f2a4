/** Terminating the clusters of a run. */
import type { World } from './world.ts';

/**
 * Requests the termination of every living cluster of the run. That includes a cluster that the state machine does not
 * know, because the answer to its creation was lost and another was created.
 * @returns how many there were
 */
export async function terminateClusters(
  { clusters }: Pick<World, 'clusters'>,
  runId: string,
): Promise<number> {
  const living = (await clusters.living(runId)).filter(({ isTerminating }) => !isTerminating);
  for (const { clusterId } of living) await clusters.terminate(clusterId);
  return living.length;
}
