/** The sweep: finds what no Catch and no event has closed. */
import { KEYS } from '../../domain/lake.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { isOver } from '../run/executions.ts';
import { lakeUri } from '../run/json-objects.ts';
import { leaseHolder } from '../run/lease.ts';
import { type Closing, closeOneRun } from './close-one-run.ts';
import { endingOf, type RunToClose } from './input.ts';
import { wasNotified } from './notify-once.ts';

/** How far back executions are looked at; the rule's events are retried for a day. */
const LOOK_BACK_MILLISECONDS = 48 * 3_600_000;

/**
 * Closes every run that has ended and still has a cluster or the lease, or of which nobody was notified.
 * @throws AggregateError when some could not be closed; all others are
 */
export async function sweep(ports: Ports, context: FunctionContext): Promise<readonly Closing[]> {
  const closings: Closing[] = [];
  const errors: unknown[] = [];
  for (const run of await runsToClose(ports, context)) {
    try {
      closings.push(await closeOneRun(run, ports, context));
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0)
    throw new AggregateError(errors, `runs not closed: ${errors.map(String).join('; ')}`);
  return closings;
}

async function runsToClose(ports: Ports, context: FunctionContext): Promise<readonly RunToClose[]> {
  const runs = new Map<string, RunToClose>();
  const since = new Date(ports.clock.now().getTime() - LOOK_BACK_MILLISECONDS);
  for (const { runId, executionArn, status, startedAt } of await ports.executions.endedBadly(since)) {
    const refusedUri = lakeUri(context.lakeRoot, KEYS.refused(runId));
    const settled =
      (await wasNotified(ports, context, runId)) || (await ports.objects.read(refusedUri)) !== undefined;
    if (!settled) {
      runs.set(executionArn, found(runId, executionArn, startedAt, endingOf(status)));
    }
  }
  for (const { runId, executionArn, createdAt, isEnding } of await ports.clusters.living()) {
    if (!isEnding && !runs.has(executionArn) && (await isOver(ports, executionArn, createdAt))) {
      runs.set(executionArn, found(runId, executionArn, createdAt, 'ClusterLeftRunning'));
    }
  }
  const holder = await leaseHolder(ports, context);
  if (holder !== undefined && !runs.has(holder.executionArn)) {
    const takenAt = new Date(holder.takenAt);
    if (await isOver(ports, holder.executionArn, takenAt)) {
      runs.set(holder.executionArn, found(holder.runId, holder.executionArn, takenAt, 'LeaseLeftTaken'));
    }
  }
  return [...runs.values()];
}

function found(runId: string, executionArn: string, startedAt: Date, error: string): RunToClose {
  const cause = 'the sweep found the run ended and not closed';
  return { runId, executionArn, startedAt, calledBy: 'sweep', error, cause };
}
