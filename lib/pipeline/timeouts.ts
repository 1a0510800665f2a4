/** How long each state may take, in minutes. The Spark steps bring their own. */
import type { PipelineResources } from './resources.ts';

/** A Lambda's own time-out lies below that of its state, so that its own error is the one that is seen. */
export const LAMBDA_MINUTES = 10;
export const LAMBDA_STATE_MINUTES = 12;
export const RECONCILE_MINUTES = 30;
export const NOTIFY_MINUTES = 2;
/** One try to publish; one that takes longer is not repeated. */
export const PUBLISH_MINUTES = 5;
export const TERMINATE_MINUTES = 30;
/** Launching the primary, and installing; to the time that EMR looks for spot instances. */
const LAUNCH_MINUTES = 30;

/** Longer than the spot time-outs of all fleets together, or the state would give up on a cluster that is coming. */
export function createClusterMinutes(spotTimeoutMinutes: number): number {
  return LAUNCH_MINUTES + spotTimeoutMinutes;
}

/** Longest time a whole run may take: every state to its end, and half as much again for what is tried again. */
export function executionMinutes({ cluster, steps }: Pick<PipelineResources, 'cluster' | 'steps'>): number {
  const stepMinutes = Object.values(steps).reduce((sum, { timeoutMinutes }) => sum + timeoutMinutes, 0);
  const lambdaMinutes = 4 * LAMBDA_STATE_MINUTES;
  const once =
    createClusterMinutes(cluster.spotTimeoutMinutes) +
    stepMinutes +
    TERMINATE_MINUTES +
    RECONCILE_MINUTES +
    lambdaMinutes +
    NOTIFY_MINUTES;
  return Math.ceil(once * 1.5);
}
