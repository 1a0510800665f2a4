import { expect, test } from 'vitest';
import { watch } from '../../lambda/close-run/watch.ts';
import { KEYS } from '../../lib/domain/lake.ts';
import { arnOf, MemoryPorts } from '../support/memory-ports.ts';
import { at, CONTEXT } from '../support/run-fixture.ts';

const HOUR = 3_600_000;

test('before any run has succeeded there is no time since', async () => {
  expect(await watch(new MemoryPorts(), CONTEXT)).toEqual({ oldestClusterHours: 0 });
});

test('measures the time since the last success, and the oldest of the clusters that live', async () => {
  const ports = new MemoryPorts();
  ports.clusters.start('gone', arnOf('gone'), { state: 'TERMINATED' });
  ports.clock.advance(5 * HOUR);
  ports.objects.put(at(KEYS.current), '{}');
  ports.clusters.start('old', arnOf('old'));
  ports.clock.advance(2 * HOUR);
  ports.clusters.start('young', arnOf('young'));
  ports.clock.advance(HOUR);
  expect(await watch(ports, CONTEXT)).toEqual({ hoursSinceSuccess: 3, oldestClusterHours: 3 });
});
