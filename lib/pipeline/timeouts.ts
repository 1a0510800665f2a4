/** How long things may take, in minutes. The time-outs of the states are in domain/states.ts. */
import { STATES, TASK_STATES } from '../../domain/states.ts';

/** A Lambda's own time-out; shorter than that of its state, so that the error the run fails with is the Lambda's own. */
export const LAMBDA_MINUTES = 10;
/** One try to publish; one that takes longer is not repeated. */
export const PUBLISH_MINUTES = 5;

/** Longer than the spot time-outs of all fleets together, or the state would give up while its cluster is starting. */
export function createClusterMinutes(spotTimeoutMinutes: number): number {
  return STATES.CreateCluster.minutes + spotTimeoutMinutes;
}

/** Longest time a whole run may take: every state up to its time-out, and half as much again for retries. */
export function executionMinutes(spotTimeoutMinutes: number): number {
  const once = TASK_STATES.reduce((sum, state) => sum + STATES[state].minutes, spotTimeoutMinutes);
  return Math.ceil(once * 1.5);
}
