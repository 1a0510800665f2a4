/** Starts while other runs exist, and clusters that appear too late. */
import { describe, expect, it, vi } from 'vitest';
import type { Ending } from '../../local/interpreter/interpreter.ts';
import { complaints, leaseHolderOf, livingClusters, recordOf } from '../support/fault-assertions.ts';
import { gate } from '../support/fault-ports.ts';
import { FaultWorld, type TaskHook } from '../support/fault-world.ts';
import { arnOf } from '../support/memory-ports.ts';

// Rendering the page takes longer than everything else together and cannot fail a run in a way that differs.
vi.mock('../../lambda/render-report/page.ts', () => ({ reportPage: async () => '<html></html>' }));

/** Aborts the execution once the state has done its work. */
const abortedAfter =
  (aborted: string): TaskHook =>
  async ({ state, work, abort }) => {
    const answer = await work();
    if (state === aborted) abort();
    return answer;
  };

describe('a cluster that appears just after its run was aborted', () => {
  it.each(['delivered', 'lost'])('is terminated by the sweep, event %s', async (delivery) => {
    const world = new FaultWorld();
    const ending = await world.run({
      runId: 'run-1',
      // RunJobFlow was accepted, but the cluster is not in any listing yet.
      onTask: async ({ state, work, abort }) => {
        if (state !== 'CreateCluster') return work();
        abort();
        return null;
      },
    });
    if (delivery === 'delivered') {
      await world.deliverEvent('run-1', ending);
      expect(complaints(world, 'run-1', ending)).toEqual([]);
    }
    world.ports.clusters.start('run-1', arnOf('run-1'), { state: 'STARTING' });
    await world.sweep();
    expect(complaints(world, 'run-1', ending)).toEqual([]);
    expect(world.ports.clusters.all).toHaveLength(1);
  });
});

describe('a start while a run is in progress', () => {
  it.each(['delivered', 'lost'])(
    'is refused, names that run and does not affect it, event %s',
    async (delivery) => {
      const world = new FaultWorld();
      const working = gate();
      const go = gate();
      const first = world.run({
        runId: 'first',
        onTask: async ({ state, work }) => {
          if (state === 'TrainModels') {
            working.open();
            await go.opened;
          }
          return work();
        },
      });
      await working.opened;
      const second = await world.run({ runId: 'second' });
      expect(second).toMatchObject({ status: 'FAILED', error: 'Refused' });
      expect(second).toHaveProperty(
        'cause',
        expect.stringMatching(/run first lives .* wait for it or stop it/),
      );
      if (delivery === 'delivered') await world.deliverEvent('second', second);
      await world.sweep();
      expect(leaseHolderOf(world)).toBe('first');
      expect(livingClusters(world, 'first')).toBe(1);
      expect(world.ports.notifications.published).toEqual([]);
      go.open();
      expect(complaints(world, 'first', await first)).toEqual([]);
      expect(recordOf(world, 'first')?.status).toBe('SUCCEEDED');
      expect(recordOf(world, 'second')).toBeUndefined();
    },
  );
});

describe('a start after a failed run that is not closed yet', () => {
  it('is refused until the cluster of the dead run is terminated, then gets the lease', async () => {
    const world = new FaultWorld();
    const dead = await world.run({ runId: 'dead', onTask: abortedAfter('IngestEvents') });
    const early = await world.run({ runId: 'early' });
    expect(early).toHaveProperty(
      'cause',
      expect.stringMatching(/run dead has ended, but its cluster .* lives/),
    );
    await world.sweep();
    expect(complaints(world, 'dead', dead)).toEqual([]);
    world.ports.clock.advance(world.ports.clusters.terminationMilliseconds);
    const late = await world.run({ runId: 'late' });
    expect(late.status).toBe('SUCCEEDED');
    expect(recordOf(world, 'late')?.status).toBe('SUCCEEDED');
    expect(world.ports.notifications.published.map(({ subject }) => subject)).toEqual([
      expect.stringContaining('run failed in BuildFeatures'),
      'Churn model: run succeeded',
    ]);
  });

  it('is refused until the cluster of the closed run has terminated: a step may still write', async () => {
    const world = new FaultWorld();
    const dead = await world.run({ runId: 'dead', onTask: abortedAfter('IngestEvents') });
    await world.deliverEvent('dead', dead);
    expect(leaseHolderOf(world)).toBeUndefined();
    const early = await world.run({ runId: 'early' });
    expect(early).toMatchObject({ status: 'FAILED', error: 'Refused' });
    expect(early).toHaveProperty('cause', expect.stringMatching(/run dead .* cluster .* it is terminating/));
    expect(world.ports.clusters.all).toHaveLength(1);
    world.ports.clock.advance(world.ports.clusters.terminationMilliseconds);
    expect(await world.run({ runId: 'late' })).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('takes over the lease of a dead run without a cluster, and closing the dead run does not affect it', async () => {
    const world = new FaultWorld();
    const dead = await world.run({ runId: 'dead', onTask: abortedAfter('TerminateCluster') });
    const working = gate();
    const go = gate();
    const heir = world.run({
      runId: 'heir',
      onTask: async ({ state, work }) => {
        const answer = await work();
        if (state === 'IngestEvents') {
          working.open();
          await go.opened;
        }
        return answer;
      },
    });
    await working.opened;
    await world.deliverEvent('dead', dead);
    await world.sweep();
    expect(recordOf(world, 'dead')?.status).toBe('FAILED');
    expect(leaseHolderOf(world)).toBe('heir');
    expect(livingClusters(world, 'heir')).toBe(1);
    go.open();
    expect((await heir).status).toBe('SUCCEEDED');
    expect(recordOf(world, 'heir')?.status).toBe('SUCCEEDED');
    expect(leaseHolderOf(world)).toBeUndefined();
  });
});

describe('fifty simultaneous starts', () => {
  it('result in one run and forty-nine refusals that name it', async () => {
    const world = new FaultWorld();
    const runIds = Array.from({ length: 50 }, (_, index) => `start-${String(index).padStart(2, '0')}`);
    const go = gate();
    let ended = 0;
    const endings: readonly (readonly [string, Ending])[] = await Promise.all(
      runIds.map(async (runId) => {
        const ending = await world.run({
          runId,
          onTask: async ({ state, work }) => {
            if (state === 'CreateCluster') await go.opened;
            return work();
          },
        });
        ended += 1;
        if (ended === runIds.length - 1) go.open();
        return [runId, ending] as const;
      }),
    );
    const winners = endings.filter(([, { status }]) => status === 'SUCCEEDED').map(([runId]) => runId);
    expect(winners).toHaveLength(1);
    const [winner = ''] = winners;
    for (const [runId, ending] of endings) {
      if (runId === winner) continue;
      expect(ending).toMatchObject({ status: 'FAILED', error: 'Refused' });
      expect(ending).toHaveProperty('cause', expect.stringContaining(`run ${winner} lives`));
    }
    await Promise.all(endings.map(([runId, ending]) => world.deliverEvent(runId, ending)));
    await world.sweep();
    for (const [runId, ending] of endings)
      expect([runId, ...complaints(world, runId, ending)]).toEqual([runId]);
    expect(world.ports.clusters.all).toHaveLength(1);
    expect(world.ports.notifications.published).toHaveLength(1);
    expect(runIds.filter((runId) => recordOf(world, runId) !== undefined)).toEqual([winner]);
  });
});
