/** The sweep: finds what no Catch and no event has closed. */
import { REFUSED } from '../../domain/lake-objects.ts';
import { hasEnded } from '../run/executions.ts';
import { leaseHolder } from '../run/lease.ts';
import type { World } from '../run/world.ts';
import { type Closing, closeOneRun } from './close-one-run.ts';
import { endingOf, type RunToClose } from './input.ts';
import { wasNotified } from './notify-once.ts';

/** How far back it looks for executions; the rule's events are retried for a day. */
const LOOK_BACK_MILLISECONDS = 48 * 3_600_000;

/**
 * Closes every run that has ended and still has a cluster or the lease, or of which nobody was notified.
 * @throws AggregateError when some could not be closed; all others are closed
 */
export async function sweep(world: World): Promise<readonly Closing[]> {
  const closings: Closing[] = [];
  const errors: unknown[] = [];
  for (const run of await runsToClose(world)) {
    try {
      closings.push(await closeOneRun(world, run));
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0)
    throw new AggregateError(errors, `runs not closed: ${errors.map(String).join('; ')}`);
  return closings;
}

async function runsToClose(world: World): Promise<readonly RunToClose[]> {
  const { lake, clock, executions, clusters } = world;
  const runs = new Map<string, RunToClose>();
  const since = new Date(clock.now().getTime() - LOOK_BACK_MILLISECONDS);
  for (const { runId, executionArn, status, startedAt } of await executions.failedSince(since)) {
    const isSettled = (await wasNotified(lake, runId)) || (await lake.has(REFUSED.of(runId)));
    if (!isSettled) {
      runs.set(executionArn, found(runId, executionArn, startedAt, endingOf(status)));
    }
  }
  for (const { runId, executionArn, createdAt, isTerminating } of await clusters.living()) {
    if (!isTerminating && !runs.has(executionArn) && (await hasEnded(world, executionArn, createdAt))) {
      runs.set(executionArn, found(runId, executionArn, createdAt, 'ClusterLeftRunning'));
    }
  }
  const holder = await leaseHolder(lake);
  if (holder !== undefined && !runs.has(holder.executionArn)) {
    const takenAt = new Date(holder.takenAt);
    if (await hasEnded(world, holder.executionArn, takenAt)) {
      runs.set(holder.executionArn, found(holder.runId, holder.executionArn, takenAt, 'LeaseLeftTaken'));
    }
  }
  return [...runs.values()];
}

function found(runId: string, executionArn: string, startedAt: Date, error: string): RunToClose {
  const cause = 'the sweep found that the run had ended and was not closed';
  return { runId, executionArn, startedAt, calledBy: 'sweep', error, cause };
}
