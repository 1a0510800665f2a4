/** A run in memory of which every step has ended, and what StoreMetrics makes of it. */
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import { MemoryPorts } from './memory-ports.ts';
import { at, EVENTS, plan, runSteps, storeMetricsInput, worldOn } from './run-fixture.ts';

/** Ports in which run-1 was planned, and its steps have ended. */
export async function endedRun(): Promise<MemoryPorts> {
  const ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
  await plan(ports, 'run-1');
  runSteps(ports, 'run-1');
  return ports;
}

/** Calls StoreMetrics. */
export function storeRun(ports: MemoryPorts, runId = 'run-1') {
  return storeMetrics(storeMetricsInput(runId), worldOn(ports));
}

/** An object of the lake; null where there is none. */
export function jsonIn(ports: MemoryPorts, key: string) {
  return JSON.parse(ports.objects.text(at(key)) ?? 'null');
}

/** The rows of an object with JSON lines. */
export function linesIn(ports: MemoryPorts, key: string) {
  return (ports.objects.text(at(key)) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
