/** Ending what a run has of clusters. */
import type { Ports } from '../ports/ports.ts';

/**
 * Asks for the end of every living cluster of the run: also of one that nobody knows, because the answer to its
 * making was lost and another was made.
 * @returns how many there were
 */
export async function endClusters(runId: string, ports: Ports): Promise<number> {
  const living = (await ports.clusters.living(runId)).filter(({ isEnding }) => !isEnding);
  for (const { clusterId } of living) await ports.clusters.terminate(clusterId);
  return living.length;
}
