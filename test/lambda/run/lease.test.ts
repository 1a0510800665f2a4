/** The lease: who gets it, who is refused, and that only conditional writes touch it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LEASE as LEASE_OBJECT } from '../../../domain/lake-objects.ts';
import { releaseLease, takeLease } from '../../../lambda/run/lease.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import { at, worldOn } from '../../support/run-fixture.ts';

const LEASE = at(LEASE_OBJECT.key);
const ATTEMPTS = 6;
/** What all waits together take: each is 100 ms longer than the one before. */
const WAITED = 100 * (1 + 2 + 3 + 4 + 5 + 6);

let ports: MemoryPorts;

beforeEach(() => {
  ports = new MemoryPorts();
  for (const runId of ['run-1', 'run-2', 'run-3']) ports.executions.set(runId, 'RUNNING');
});

const take = (runId: string) => takeLease(worldOn(ports), { runId, executionArn: arnOf(runId) });
const release = (runId: string) => releaseLease(worldOn(ports), arnOf(runId));

const lease = () => JSON.parse(ports.objects.text(LEASE) ?? 'null');
const now = () => ports.clock.now().toISOString();
const reasonOf = (answer: Awaited<ReturnType<typeof take>>) => ('reason' in answer ? answer.reason : 'none');

/** Calls `change` at each write of the lease, just before it. */
function beforeEachWrite(change: () => void): void {
  ports.before = (call, argument) => {
    if (call === 'objects.write' && argument === LEASE) change();
  };
}

describe('a lease that is free', () => {
  it('is taken, and names its holder', async () => {
    expect(await take('run-1')).toEqual({ kind: 'taken' });
    expect(lease()).toEqual({
      holder: { runId: 'run-1', executionArn: arnOf('run-1'), takenAt: now() },
      released: null,
    });
  });

  it('is taken again by the run that holds it, unchanged', async () => {
    await take('run-1');
    const before = lease();
    ports.clock.advance(60_000);
    let writes = 0;
    beforeEachWrite(() => {
      writes += 1;
    });
    expect(await take('run-1')).toEqual({ kind: 'taken' });
    expect([lease(), writes]).toEqual([before, 0]);
  });

  it('goes to one of two runs that find it free at the same moment', async () => {
    const answers = await Promise.all([take('run-1'), take('run-2')]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['refused', 'taken']);
    const holder = answers[0]?.kind === 'taken' ? 'run-1' : 'run-2';
    expect(lease().holder.runId).toBe(holder);
    expect(answers.map(reasonOf).join()).toContain(`run ${holder} `);
  });

  it('is refused until the cluster of the run that released it has terminated', async () => {
    await take('run-1');
    ports.executions.set('run-1', 'ABORTED');
    const { clusterId } = ports.clusters.start('run-1', arnOf('run-1'));
    ports.clusters.terminationMilliseconds = 300_000;
    await ports.clusters.terminate(clusterId);
    await release('run-1');
    const released = lease();
    expect(reasonOf(await take('run-2'))).toBe(
      'run run-1 has ended, but its cluster j-1 still lives: it is terminating, which takes some minutes; then start again',
    );
    expect(lease()).toEqual(released);
    ports.clock.advance(300_000);
    expect(await take('run-2')).toEqual({ kind: 'taken' });
  });

  it('is given up after six attempts when it changes each time', async () => {
    const begun = ports.clock.now().getTime();
    let writes = 0;
    beforeEachWrite(() => {
      writes += 1;
      ports.objects.put(LEASE, '{"holder": null, "released": null}');
    });
    expect(reasonOf(await take('run-1'))).toMatch(/^other runs .*again in a minute$/);
    expect(writes).toBe(ATTEMPTS);
    expect(ports.clock.now().getTime() - begun).toBe(WAITED);
    expect(lease().holder).toBeNull();
  });
});

describe('a lease that another run holds', () => {
  beforeEach(async () => {
    await take('run-1');
  });

  it('is refused while that run is alive', async () => {
    const answer = await take('run-2');
    expect(reasonOf(answer)).toMatch(/^run run-1 .*since 2018-12-04T06:00:00\.000Z/);
    expect(lease().holder.runId).toBe('run-1');
  });

  it('is refused while a cluster of that run is alive, which is named', async () => {
    ports.executions.set('run-1', 'FAILED');
    ports.clusters.start('run-1', arnOf('run-1'), { clusterId: 'j-1' });
    ports.clusters.start('run-1', arnOf('run-1'), { clusterId: 'j-2' });
    ports.clusters.start('run-3', arnOf('run-3'), { clusterId: 'j-3' });
    expect(reasonOf(await take('run-2'))).toBe(
      'run run-1 has ended, but its cluster j-1, j-2 still lives: it is terminated within 15 minutes; then start again',
    );
    expect(lease().holder.runId).toBe('run-1');
  });

  it.each(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const)(
    'is taken over once that run is %s and its clusters are gone',
    async (status) => {
      ports.executions.set('run-1', status);
      ports.clusters.start('run-1', arnOf('run-1'), { state: 'TERMINATED' });
      ports.clock.advance(1_000);
      expect(await take('run-2')).toEqual({ kind: 'taken' });
      expect(lease()).toEqual({
        holder: { runId: 'run-2', executionArn: arnOf('run-2'), takenAt: now() },
        released: null,
      });
    },
  );

  it('of an execution that nobody knows is taken over after a minute, not before', async () => {
    ports.executions.all.delete(arnOf('run-1'));
    ports.clock.advance(60_000);
    expect((await take('run-2')).kind).toBe('refused');
    ports.clock.advance(1);
    expect((await take('run-2')).kind).toBe('taken');
  });

  it('and that a third run takes over first is refused', async () => {
    ports.executions.set('run-1', 'FAILED');
    const third = { runId: 'run-3', executionArn: arnOf('run-3'), takenAt: now() };
    let isFirst = true;
    beforeEachWrite(() => {
      if (isFirst) ports.objects.put(LEASE, JSON.stringify({ holder: third, released: null }));
      isFirst = false;
    });
    expect(reasonOf(await take('run-2'))).toMatch(/^run run-3 /);
    expect(lease().holder).toEqual(third);
  });

  it('and that changes at every attempt is given up, with the name of its last holder', async () => {
    ports.executions.set('run-1', 'FAILED');
    const held = lease();
    beforeEachWrite(() => ports.objects.put(LEASE, JSON.stringify(held)));
    expect(reasonOf(await take('run-2'))).toMatch(/^run run-1 held the lease and has ended/);
    expect(lease()).toEqual(held);
  });
});

describe('a lease is released', () => {
  it('by the run that holds it, which is noted with the time', async () => {
    await take('run-1');
    ports.clock.advance(5_000);
    expect(await release('run-1')).toBe('released');
    expect(lease()).toEqual({ holder: null, released: { executionArn: arnOf('run-1'), at: now() } });
    expect(await take('run-2')).toEqual({ kind: 'taken' });
  });

  it('by no other run, and not twice', async () => {
    expect(await release('run-1')).toBe('not held');
    expect(lease()).toBeNull();
    await take('run-1');
    const held = lease();
    expect(await release('run-2')).toBe('not held');
    expect(lease()).toEqual(held);
    await release('run-1');
    const released = lease();
    expect(await release('run-1')).toBe('not held');
    expect(lease()).toEqual(released);
  });

  it('not by a run that lost it in the same moment', async () => {
    await take('run-1');
    const other = { runId: 'run-2', executionArn: arnOf('run-2'), takenAt: now() };
    beforeEachWrite(() => ports.objects.put(LEASE, JSON.stringify({ holder: other, released: null })));
    expect(await release('run-1')).toBe('not held');
    expect(lease().holder).toEqual(other);
  });

  it('or it is an error after six attempts', async () => {
    await take('run-1');
    const held = lease();
    const begun = ports.clock.now().getTime();
    let writes = 0;
    beforeEachWrite(() => {
      writes += 1;
      ports.objects.put(LEASE, JSON.stringify(held));
    });
    await expect(release('run-1')).rejects.toThrow(/run-1 could not .* 6 times in a row/);
    expect(writes).toBe(ATTEMPTS);
    expect(ports.clock.now().getTime() - begun).toBe(WAITED);
    expect(lease()).toEqual(held);
  });
});
