/** What PlanRun plans: at the first start, at later ones, and on one machine. */
import { describe, expect, it } from 'vitest';
import { LEASE, PENDING_BATCH, PLAN } from '../../../domain/lake-objects.ts';
import { runSettingsSchema } from '../../../domain/run.ts';
import { worldOf } from '../../../lambda/run/world.ts';
import { planRun } from '../../../lambda/start-training/plan-run.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { gate } from '../../support/fault-ports.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { closedRun, leaseOf, portsWithLog, succeed } from '../../support/planned-runs.ts';
import {
  at,
  DEPLOYMENT,
  EVENTS,
  ingest,
  plan,
  planOf,
  runSteps,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

describe('PlanRun at the first start', () => {
  it('plans every event file of the log and no other file', async () => {
    const ports = portsWithLog([
      '2018-10-01.json',
      'deep/2018-10-02.json.gz',
      '_SUCCESS.json',
      '.hidden.json',
      '_temporary/0/part.json',
      'readme.txt',
    ]);
    ports.objects.put('s3://raw/events-of-others/x.json', 'x');
    const decision = await plan(ports, 'run-1');
    expect(decision).toMatchObject({ decision: 'run', runId: 'run-1', planUri: at(PLAN.of('run-1').key) });
    const { batch, listing, outputs, ingest: limits } = planOf(ports, 'run-1');
    expect(listing?.passedOver).toEqual([
      { reason: 'marker', count: 1, first: [`${EVENTS}/_temporary/0/part.json`] },
      { reason: 'hidden', count: 2, first: [`${EVENTS}/.hidden.json`, `${EVENTS}/_SUCCESS.json`] },
      { reason: 'unknown_ending', count: 1, first: [`${EVENTS}/readme.txt`] },
    ]);
    expect(batch.files.map((file) => file.uri)).toEqual([
      `${EVENTS}/2018-10-01.json`,
      `${EVENTS}/deep/2018-10-02.json.gz`,
    ]);
    expect(batch.ingestDate).toBe('2018-12-04');
    expect(outputs.results['train-models']).toBe(at('runs/run-1/results/train-models.json'));
    expect(limits.latestEventMilliseconds).toBe(Date.parse('2018-12-05T06:00:00Z'));
    expect(limits.earliestEventMilliseconds).toBe(Date.parse('2005-01-01T00:00:00Z'));
    expect(leaseOf(ports)).toMatchObject({ runId: 'run-1' });
  });

  it('returns the same answer when the state is retried, and changes nothing', async () => {
    const ports = portsWithLog();
    const first = await plan(ports, 'run-1');
    const written = planOf(ports, 'run-1');
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'came in between');
    expect(await plan(ports, 'run-1')).toEqual(first);
    expect(planOf(ports, 'run-1')).toEqual(written);
  });

  it('plans the same batch when it crashes before any of its writes and is retried', async () => {
    const undisturbed = portsWithLog();
    await plan(undisturbed, 'run-1');
    for (const crash of [LEASE.key, 'pending/', PLAN.of('run-1').key]) {
      const ports = portsWithLog();
      ports.before = (call, uri) => {
        if (call === 'objects.write' && uri.includes(crash)) {
          ports.before = () => {
            throw new Error('the Lambda is gone');
          };
          throw new Error('the Lambda is gone');
        }
      };
      await expect(plan(ports, 'run-1')).rejects.toThrow('gone');
      ports.before = undefined;
      expect(await plan(ports, 'run-1')).toMatchObject({ decision: 'run' });
      expect(planOf(ports, 'run-1').batch).toEqual(planOf(undisturbed, 'run-1').batch);
    }
  });

  it('returns the stored plan when two attempts overlap and files arrive in between', async () => {
    const ports = portsWithLog();
    const [reached, resumed] = [gate(), gate()];
    ports.before = async (call, uri) => {
      if (call !== 'objects.write' || uri !== at(PLAN.of('run-1').key)) return;
      ports.before = undefined;
      reached.open();
      await resumed.opened;
    };
    const slow = plan(ports, 'run-1');
    await reached.opened;
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'came in between');
    const fast = await plan(ports, 'run-1');
    resumed.open();
    expect(await slow).toEqual(fast);
    expect(fast).toMatchObject({ batchId: planOf(ports, 'run-1').batch.batchId });
    expect(planOf(ports, 'run-1').batch.files).toHaveLength(3);
  });

  it('uses the fields of the request, and the defaults for the others', async () => {
    const ports = portsWithLog();
    const request = {
      events: `${EVENTS}/2018-10-0{1,3}.json`,
      horizonDays: 7,
      seed: 5,
      observationEnd: '2018-12-01',
    };
    await plan(ports, 'run-1', request);
    expect(planOf(ports, 'run-1')).toMatchObject({
      batch: { files: [{ uri: `${EVENTS}/2018-10-01.json` }] },
      training: { horizonDays: 7, seed: 5, observationEnd: '2018-12-01', folds: 3 },
    });
  });
});

describe('the retrospective protocol', () => {
  const planned = async (ports: MemoryPorts, runId: string, retrospective: string): Promise<boolean> => {
    const settings = runSettingsSchema.parse({ ...DEPLOYMENT.settings, retrospective });
    await plan(ports, runId, { force: true }, { ...DEPLOYMENT, settings });
    return planOf(ports, runId).training.retrospective;
  };

  it.each([
    ['first-run', true, false],
    ['always', true, true],
    ['never', false, false],
  ])(
    'with the setting %s is asked for in the first run: %s, in later ones: %s',
    async (mode, first, later) => {
      const ports = portsWithLog();
      expect(await planned(ports, 'run-1', mode)).toBe(first);
      runSteps(ports, 'run-1');
      await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
      ports.executions.set('run-1', 'SUCCEEDED');
      ports.clock.advance(3_600_000);
      expect(await planned(ports, 'run-2', mode)).toBe(later);
    },
  );
});

describe('PlanRun at a later start', () => {
  it('has nothing to do when all files are in the lake, and releases the lease', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    expect(await plan(ports, 'run-2')).toMatchObject({
      decision: 'nothing-to-do',
      reason: expect.stringMatching(/all 2 event files/),
    });
    expect(leaseOf(ports)).toBeNull();
  });

  it('plans only new files and files that were replaced', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    ports.objects.put(`${EVENTS}/2018-10-01.json`, 'replaced');
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'new');
    await plan(ports, 'run-2');
    expect(planOf(ports, 'run-2').batch.files.map((file) => file.uri)).toEqual([
      `${EVENTS}/2018-10-01.json`,
      `${EVENTS}/2018-10-03.json`,
    ]);
  });

  it('plans the last batch when forced, with its original ingest date', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    ports.clock.advance(5 * 86_400_000);
    expect(await plan(ports, 'run-2', { force: true })).toMatchObject({ decision: 'run' });
    expect(planOf(ports, 'run-2').batch).toEqual(planOf(ports, 'run-1').batch);
    expect(planOf(ports, 'run-2').abandonedBatchIds).toEqual([]);
  });

  it('plans the batch of a run that failed after ingest', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    ingest(ports, 'run-1');
    await closedRun(ports, 'run-1');
    ports.clock.advance(2 * 86_400_000);
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
    expect(planOf(ports, 'run-2').batch).toEqual(planOf(ports, 'run-1').batch);
    expect(planOf(ports, 'run-2').abandonedBatchIds).toEqual([]);
  });

  it('names batches that were begun and never finished, including its own', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    const first = planOf(ports, 'run-1').batch;
    await closedRun(ports, 'run-1');
    ports.clock.advance(86_400_000);
    await plan(ports, 'run-2');
    expect(planOf(ports, 'run-2').batch).toEqual(first);
    expect(planOf(ports, 'run-2').abandonedBatchIds).toEqual([first.batchId]);
    await closedRun(ports, 'run-2');
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'new');
    await plan(ports, 'run-3');
    expect(planOf(ports, 'run-3').batch.batchId).not.toBe(first.batchId);
    expect(planOf(ports, 'run-3').abandonedBatchIds).toEqual([first.batchId]);
    runSteps(ports, 'run-3');
    await storeMetrics(storeMetricsInput('run-3'), worldOn(ports));
    expect(ports.objects.uris().filter((uri) => uri.includes('/pending/'))).toEqual([]);
  });

  it('has work to do while a batch is begun and not in the ledger, even without new files', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    ports.objects.put(at(PENDING_BATCH.of('0123456789abcdef').key), '{}');
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
    const { batch, abandonedBatchIds } = planOf(ports, 'run-2');
    expect(batch.files).toEqual([]);
    expect(abandonedBatchIds).toEqual(['0123456789abcdef']);
    ports.clock.advance(60_000);
    ingest(ports, 'run-2');
    await closedRun(ports, 'run-2');
    // The ingest of that run has settled it.
    await plan(ports, 'run-3');
    expect(planOf(ports, 'run-3')).toMatchObject({ batch, abandonedBatchIds: [] });
  });

  it('says that a place is empty, whatever is unfinished', async () => {
    const ports = new MemoryPorts();
    ports.objects.put(at(PENDING_BATCH.of('0123456789abcdef').key), '{}');
    await expect(plan(ports, 'run-1')).rejects.toThrow(/There are no event files at/);
  });
});

describe('PlanRun of a local run', () => {
  it('plans no cost and one boosting worker', async () => {
    const ports = portsWithLog();
    const executionArn = ports.executions.set('run-1', 'RUNNING');
    const input = { runId: 'run-1', executionArn, startedAt: '2018-12-04T06:00:00Z', request: {} };
    await planRun(input, worldOf(ports, { ...DEPLOYMENT, platform: 'local' }));
    expect(planOf(ports, 'run-1')).toMatchObject({
      cluster: { estimatedUsd: 0 },
      training: { boostingWorkers: 1 },
    });
  });

  it('accepts events in any location', async () => {
    const ports = new MemoryPorts();
    ports.objects.put('file:///elsewhere/2018-10-01.json', 'x');
    const executionArn = ports.executions.set('run-1', 'RUNNING');
    const request = { events: 'file:///elsewhere' };
    const input = { runId: 'run-1', executionArn, startedAt: '2018-12-04T06:00:00Z', request };
    expect(await planRun(input, worldOf(ports, { ...DEPLOYMENT, platform: 'local' }))).toMatchObject({
      decision: 'run',
    });
  });
});
