import { beforeEach, expect, test } from 'vitest';
import { CURRENT, WATCHED_SINCE } from '../../../domain/lake-objects.ts';
import { watch } from '../../../lambda/close-run/watch.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import { at, worldOn } from '../../support/run-fixture.ts';

const HOUR = 3_600_000;

let ports: MemoryPorts;

beforeEach(() => {
  ports = new MemoryPorts();
});

test('the sweep measures a pipeline that has never succeeded from the first sweep on', async () => {
  expect(await watch(worldOn(ports))).toEqual({ sweeps: 1, hoursSinceSuccess: 0, oldestClusterHours: 0 });
  ports.clock.advance(24 * HOUR);
  expect(await watch(worldOn(ports))).toMatchObject({ hoursSinceSuccess: 24 });
  ports.clock.advance(400 * HOUR);
  expect(await watch(worldOn(ports))).toMatchObject({ hoursSinceSuccess: 424 });
});

test("the sweep ignores the first sweep's marker once a run has succeeded", async () => {
  await watch(worldOn(ports));
  ports.clock.advance(100 * HOUR);
  ports.objects.put(at(CURRENT.key), '{}');
  ports.clock.advance(HOUR);
  expect(await watch(worldOn(ports))).toMatchObject({ hoursSinceSuccess: 1 });
});

test('the sweep does not overwrite the marker of another sweep that was faster', async () => {
  ports.before = (call, uri) => {
    if (call === 'objects.write') ports.objects.put(uri, "the other's");
  };
  await watch(worldOn(ports));
  expect(ports.objects.text(at(WATCHED_SINCE.key))).toBe("the other's");
});

test('the sweep measures the time since the last success and the age of the oldest living cluster', async () => {
  ports.clusters.start('gone', arnOf('gone'), { state: 'TERMINATED' });
  ports.clock.advance(5 * HOUR);
  ports.objects.put(at(CURRENT.key), '{}');
  ports.clusters.start('old', arnOf('old'));
  ports.clock.advance(2 * HOUR);
  ports.clusters.start('young', arnOf('young'));
  ports.clock.advance(HOUR);
  expect(await watch(worldOn(ports))).toEqual({ sweeps: 1, hoursSinceSuccess: 3, oldestClusterHours: 3 });
});
