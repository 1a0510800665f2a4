/** Whether an execution is over. */
import type { Ports } from '../ports/ports.ts';

/** DescribeExecution lags behind: an execution that it does not know may just have begun. */
const UNKNOWN_GRACE_MILLISECONDS = 60_000;

/** @param seenAt when the execution last showed a sign of life: took the lease, made a cluster */
export async function isOver(ports: Ports, executionArn: string, seenAt: Date): Promise<boolean> {
  const status = await ports.executions.status(executionArn);
  if (status === 'UNKNOWN') {
    return ports.clock.now().getTime() - seenAt.getTime() > UNKNOWN_GRACE_MILLISECONDS;
  }
  return status !== 'RUNNING';
}
