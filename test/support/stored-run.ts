/** A run that has trained and whose figures are stored: what the report shows of it, and the ports that hold its objects. */
import { RUN_DETAIL } from '../../domain/lake-objects.ts';
import { hasTrained, runDetailSchema, type TrainedDetail } from '../../domain/records.ts';
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import { MemoryPorts } from './memory-ports.ts';
import { at, EVENTS, plan, runSteps, storeMetricsInput, worldOn } from './run-fixture.ts';

export interface StoredRun {
  readonly ports: MemoryPorts;
  readonly detail: TrainedDetail;
}

/** The run `run-1` of one file. */
export async function storedRun(): Promise<StoredRun> {
  const ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
  await plan(ports, 'run-1');
  runSteps(ports, 'run-1');
  await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
  const detail = runDetailSchema.parse(
    JSON.parse(ports.objects.text(at(RUN_DETAIL.of('run-1').key)) ?? 'null'),
  );
  if (!hasTrained(detail)) throw new Error('the fixture trains');
  return { ports, detail };
}
