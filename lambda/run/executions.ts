/** Whether an execution has ended. */
import type { World } from './world.ts';

/** DescribeExecution lags behind: an execution that it does not know may have just started. */
const UNKNOWN_GRACE_MILLISECONDS = 60_000;

/** @param seenAt when the execution last showed that it is alive: it took the lease, or created a cluster */
export async function hasEnded(
  { executions, clock }: Pick<World, 'executions' | 'clock'>,
  executionArn: string,
  seenAt: Date,
): Promise<boolean> {
  const status = await executions.status(executionArn);
  if (status === 'UNKNOWN') {
    return clock.now().getTime() - seenAt.getTime() > UNKNOWN_GRACE_MILLISECONDS;
  }
  return status !== 'RUNNING';
}
