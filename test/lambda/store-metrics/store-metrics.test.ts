/** What StoreMetrics does for a run that reached its end: once, however often it is tried. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CURRENT, CUTOFF_GRID, LEASE, modelFolder, RUN_RECORD } from '../../../domain/lake-objects.ts';
import { endedRun, jsonIn, linesIn, storeRun } from '../../support/ended-run.ts';
import { arnOf, type MemoryPorts } from '../../support/memory-ports.ts';
import { at, plan, planOf, runSteps } from '../../support/run-fixture.ts';

let ports: MemoryPorts;
beforeEach(async () => {
  ports = await endedRun();
});
const store = (runId?: string) => storeRun(ports, runId);
const json = (key: string) => jsonIn(ports, key);
const lines = (key: string) => linesIn(ports, key);

describe('StoreMetrics for a run that reached its end', () => {
  it('records the run, makes it current, removes its markers and releases its lease', async () => {
    ports.clock.advance(1_800_000);
    await store();
    expect(lines(RUN_RECORD.of('run-1').key)).toEqual([
      expect.objectContaining({
        run_id: 'run-1',
        status: 'SUCCEEDED',
        started_at: '2018-12-04T06:00:00.000Z',
        ended_at: '2018-12-04T06:30:00.000Z',
        rows_read: 1_000,
        rows_duplicate: 10,
        users: 1_160,
        model: 'boosted_trees',
        promoted: true,
        error: null,
      }),
    ]);
    expect(json(CURRENT.key)).toEqual({
      runId: 'run-1',
      batchId: planOf(ports, 'run-1').batch.batchId,
      champion: {
        runId: 'run-1',
        modelUri: at(modelFolder('run-1')),
        testCutoff: '2018-11-19',
        withheld: false,
        promotedAt: '2018-12-04T06:30:00.000Z',
      },
      scoredUnder: 'run-1',
      observationEnd: '2018-12-03',
      manual: null,
      lastTraining: expect.objectContaining({ runId: 'run-1', testCutoff: '2018-11-19' }),
    });
    expect(json(LEASE.key).holder).toBeNull();
    expect(ports.objects.uris().filter((uri) => uri.includes('/pending/'))).toEqual([]);
  });

  it('writes a summary for the notification', async () => {
    const { summary } = await store();
    expect(summary).toContain(
      '38 of 960 living users are expected to cancel between 2018-12-03 and 2018-12-16.',
    );
    expect(summary).toContain('1,000 rows, of which 970 accepted, 20 refused, 10 duplicates');
    expect(summary).toContain('Gradient-boosted trees (AUC 0.763');
  });

  it('has the same effect when it runs twice, and when it dies before any of its writes and is retried', async () => {
    await store();
    const undisturbed = new Map(ports.objects.uris().map((uri) => [uri, ports.objects.text(uri)]));
    await store();
    expect(new Map(ports.objects.uris().map((uri) => [uri, ports.objects.text(uri)]))).toEqual(undisturbed);

    const changes = [
      ...['detail.json', 'tables/runs', 'model_metrics', 'tables/segments', 'tables/feature_ranges'],
      ...['current.json', 'pending/', 'lease.json'],
    ];
    for (const crash of changes) {
      ports = await endedRun();
      ports.before = (call, uri) => {
        if (/write|remove/.test(call) && uri.includes(crash)) throw new Error('the Lambda is gone');
      };
      await expect(store()).rejects.toThrow('gone');
      ports.before = undefined;
      await store();
      expect(ports.objects.uris()).toEqual([...undisturbed.keys()]);
      for (const uri of ports.objects.uris().filter((one) => !one.endsWith('lease.json'))) {
        expect(ports.objects.text(uri)).toBe(undisturbed.get(uri));
      }
      expect(json(LEASE.key).holder).toBeNull();
    }
  });

  it('terminates a cluster that a retry of CreateCluster left behind', async () => {
    ports.clusters.start('run-1', arnOf('run-1'));
    ports.clusters.start('run-1', arnOf('run-1'), { state: 'TERMINATED' });
    await store();
    expect(await ports.clusters.living()).toEqual([]);
  });

  it('fixes the grid of cutoffs, which later runs are planned with and do not move', async () => {
    expect(planOf(ports, 'run-1').training.cutoffAnchor).toBeNull();
    await store();
    expect(json(CUTOFF_GRID.key)).toEqual({ anchor: '2018-11-19' });
    ports.objects.put(at(CUTOFF_GRID.key), JSON.stringify({ anchor: '2018-11-17' }));
    ports.executions.set('run-1', 'SUCCEEDED');
    await plan(ports, 'run-2', { force: true });
    expect(planOf(ports, 'run-2').training.cutoffAnchor).toBe('2018-11-17');
    runSteps(ports, 'run-2');
    await store('run-2');
    expect(json(CUTOFF_GRID.key)).toEqual({ anchor: '2018-11-17' });
  });
});
