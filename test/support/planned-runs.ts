/** Starts of runs over a log in memory, and how they ended. */
import { expect } from 'vitest';
import { LEASE } from '../../domain/lake-objects.ts';
import { closeRun } from '../../lambda/close-run/close-run.ts';
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import { MemoryPorts } from './memory-ports.ts';
import { at, EVENTS, plan, runSteps, storeMetricsInput, worldOn } from './run-fixture.ts';

const HOUR_MILLISECONDS = 3_600_000;

/** Ports with a log of event files of these names; each holds its own name. */
export function portsWithLog(
  files: readonly string[] = ['2018-10-01.json', '2018-10-02.jsonl.gz'],
): MemoryPorts {
  const ports = new MemoryPorts();
  for (const file of files) ports.objects.put(`${EVENTS}/${file}`, file);
  return ports;
}

/** A run that succeeds, an hour before what comes next. */
export async function succeed(ports: MemoryPorts, runId: string, request: unknown = {}): Promise<void> {
  expect(await plan(ports, runId, request)).toMatchObject({ decision: 'run' });
  runSteps(ports, runId);
  await storeMetrics(storeMetricsInput(runId), worldOn(ports));
  ports.executions.set(runId, 'SUCCEEDED');
  ports.clock.advance(HOUR_MILLISECONDS);
}

/** Lets the run fail and be closed, an hour before what comes next. */
export async function closedRun(ports: MemoryPorts, runId: string): Promise<void> {
  const executionArn = ports.executions.set(runId, 'FAILED');
  const startedAt = ports.clock.now().toISOString();
  await closeRun({ runId, executionArn, startedAt, failure: { Error: 'States.Timeout' } }, worldOn(ports));
  ports.clock.advance(HOUR_MILLISECONDS);
}

/** What the lease says of the run that holds it; null if none does. */
export function leaseOf(ports: MemoryPorts): { readonly runId: string } | null {
  return JSON.parse(ports.objects.text(at(LEASE.key)) ?? '{"holder":null}').holder;
}
