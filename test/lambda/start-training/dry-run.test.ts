import { describe, expect, it } from 'vitest';
import { dryRunText } from '../../../bin/terminal/dry-run-text.ts';
import { LEASE } from '../../../domain/lake-objects.ts';
import { readDeployment } from '../../../lambda/run/deployment.ts';
import { DryRunObjects, dryRun } from '../../../lambda/start-training/dry-run.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';

const EVENTS = 's3://raw/events';
const LAKE = 's3://lake';
const deployment = (settings = {}) =>
  readDeployment({
    LAKE_ROOT: LAKE,
    EVENTS_ROOT: EVENTS,
    RELEASE: 'test',
    TRAINING_RELEASE: 'test',
    DATABASE: 'churn',
    PLATFORM: 'emr',
    AWS_REGION: 'eu-west-1',
    RUN_SETTINGS: JSON.stringify(settings),
  });

function log(names: readonly string[]): MemoryPorts {
  const ports = new MemoryPorts();
  for (const name of names) ports.objects.put(`${EVENTS}/${name}`, `content of ${name}`);
  return ports;
}

async function tried(ports: MemoryPorts, settings = {}) {
  const before = [...(await ports.objects.list(LAKE))];
  const objects = new DryRunObjects(ports.objects, LAKE);
  const found = await dryRun({}, { ...ports, objects, clock: ports.clock }, deployment(settings));
  expect(await ports.objects.list(LAKE)).toEqual(before);
  return found;
}

describe('a dry run', () => {
  it('says what a run would read and what it would cost, and writes nothing', async () => {
    const found = await tried(log(['a.json', 'b.json', 'c.zip']));
    expect(found).toMatchObject({
      decision: 'run',
      new: { count: 2, first: [`${EVENTS}/a.json`, `${EVENTS}/b.json`] },
      changed: { count: 0 },
      gone: { count: 0 },
      passedOver: [{ reason: 'zip', count: 1 }],
    });
    expect(found.estimatedUsd).toBeGreaterThan(0);
    expect(dryRunText(found)).toMatch(
      /New +2: .*a\.json[\s\S]*Cost +about [\d.]+ USD[\s\S]*zip archives[\s\S]*Nothing was written/,
    );
  });

  it('says why the run would be refused', async () => {
    expect(await tried(log([]))).toMatchObject({
      decision: 'refused',
      reason: expect.stringMatching(/^NoEventFiles: There are no event files at/),
    });
    expect(await tried(log(['a.json']), { budgetUsd: 0.01 })).toMatchObject({
      decision: 'refused',
      reason: expect.stringMatching(/^OverBudget: /),
    });
  });

  it('looks while another run holds the lease, and leaves it alone', async () => {
    const ports = log(['a.json']);
    ports.objects.put(`${LAKE}/${LEASE.key}`, '{"holder":"somebody"}');
    expect(await tried(ports)).toMatchObject({ decision: 'run' });
    expect(ports.objects.text(`${LAKE}/${LEASE.key}`)).toBe('{"holder":"somebody"}');
  });
});
