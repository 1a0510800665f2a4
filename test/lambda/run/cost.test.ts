/** What a run cost, as both endings of a run record it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { instancesUsd } from '../../../domain/cost.ts';
import { PLAN, RUN_DETAIL, RUN_RECORD } from '../../../domain/lake-objects.ts';
import { runDetailSchema, runRecordSchema } from '../../../domain/records.ts';
import { runPlanSchema } from '../../../domain/run.ts';
import { closeRun } from '../../../lambda/close-run/close-run.ts';
import type { ClusterInstance } from '../../../lambda/ports/clusters.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  DEPLOYMENT,
  EVENTS,
  plan,
  runSteps,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

const STARTED = new Date('2018-12-04T06:00:00Z');
const ENDED = new Date('2018-12-04T07:00:00Z');

const instance = (more: Partial<ClusterInstance> = {}): ClusterInstance => ({
  instanceType: 'm7g.xlarge',
  market: 'SPOT',
  zone: 'us-east-1a',
  startedAt: STARTED,
  endedAt: ENDED,
  ...more,
});
const table = (instanceType = 'm7g.xlarge') =>
  instancesUsd([{ instanceType, seconds: 3_600 }], DEPLOYMENT.region) ?? 0;

let ports: MemoryPorts;

beforeEach(async () => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
  await plan(ports, 'run-1');
  ports.spotPrices.changes.push({ instanceType: 'm7g.xlarge', at: STARTED, usdPerHour: 0.0632 });
});

const run = (...instances: ClusterInstance[]) =>
  ports.clusters.start('run-1', arnOf('run-1'), { state: 'TERMINATED', instances });
const record = () =>
  runRecordSchema.parse(JSON.parse(ports.objects.text(at(RUN_RECORD.of('run-1').key)) ?? ''));

it('a run record from before the price source and the estimate were stored can be read', async () => {
  await ENDINGS['that succeeded']();
  const { spot_price_source: _source, estimated_cost_usd: _estimate, ...older } = record();
  expect(runRecordSchema.parse(older)).toEqual({ ...record(), estimated_cost_usd: null });
});

const ENDINGS = {
  'that succeeded': async () => {
    runSteps(ports, 'run-1');
    await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
  },
  'that failed': async () => {
    const executionArn = ports.executions.set('run-1', 'FAILED');
    const failure = { Error: 'States.Timeout' };
    await closeRun(
      { runId: 'run-1', executionArn, startedAt: STARTED.toISOString(), failure },
      worldOn(ports),
    );
  },
} as const;

describe.each(Object.entries(ENDINGS))('the cost of a run %s', (_, end) => {
  it("is the table's price on demand, and the market price on spot", async () => {
    run(instance({ market: 'ON_DEMAND' }), instance());
    await end();
    expect(record().cost_usd).toBeCloseTo(2 * table() - 0.1, 9);
    expect(record().spot_price_source).toBe('market');
  });

  it('is stored beside the estimated cost', async () => {
    const stored = runPlanSchema.parse(JSON.parse(ports.objects.text(at(PLAN.of('run-1').key)) ?? ''));
    const planned = { ...stored, cluster: { ...stored.cluster, estimatedUsd: 0.61 } };
    ports.objects.put(at(PLAN.of('run-1').key), JSON.stringify(planned));
    await end();
    expect(record().estimated_cost_usd).toBe(0.61);
  });

  it('does not query prices if there are no spot instances', async () => {
    run(instance({ market: 'ON_DEMAND' }));
    ports.before = (call) => {
      if (call.startsWith('spotPrices')) throw new Error('nobody was to ask');
    };
    await end();
    expect(record()).toMatchObject({ cost_usd: table(), spot_price_source: null });
    expect(ports.warnings).toEqual([]);
  });

  it("uses the table's prices when the market does not answer", async () => {
    run(instance());
    ports.before = (call) => {
      if (call.startsWith('spotPrices')) throw new Error('EC2 is down');
    };
    await end();
    expect(record()).toMatchObject({ cost_usd: table(), spot_price_source: 'table' });
    expect(ports.warnings).toEqual([expect.stringMatching(/us-east-1a.*EC2 is down/)]);
  });

  it('uses both when the market has prices for some of its instances', async () => {
    run(instance(), instance({ instanceType: 'r6g.xlarge' }), instance({ zone: null }));
    await end();
    expect(record().cost_usd).toBeCloseTo(table() - 0.1 + table('r6g.xlarge') + table(), 9);
    expect(record().spot_price_source).toBe('market and table');
  });

  it('is unknown when an instance has no price in the table', async () => {
    run(instance({ instanceType: 'p5.48xlarge' }));
    await end();
    expect(record().cost_usd).toBeNull();
  });
});

describe('the states of a run that succeeded', () => {
  const minutes = (minute: number) => new Date(STARTED.getTime() + minute * 60_000);
  const states = () =>
    runDetailSchema.parse(JSON.parse(ports.objects.text(at(RUN_DETAIL.of('run-1').key)) ?? '')).states;

  beforeEach(() => {
    ports.executions.visited.set(arnOf('run-1'), [
      { state: 'CreateCluster', from: minutes(-6), to: minutes(6) },
      { state: 'IngestEvents', from: minutes(6), to: minutes(36) },
      { state: 'StoreMetrics', from: minutes(70), to: null },
    ]);
  });

  it('bear what the instances cost while the run was in them, and only once they have ended', async () => {
    run(instance({ market: 'ON_DEMAND' }), instance({ market: 'ON_DEMAND', startedAt: minutes(24) }));
    await ENDINGS['that succeeded']();
    const whole = table();
    const later = (whole * 36) / 60;
    expect(states()).toEqual([
      { name: 'CreateCluster', seconds: 720, usd: expect.closeTo(whole * 0.1, 9) },
      { name: 'IngestEvents', seconds: 1_800, usd: expect.closeTo(whole * 0.5 + (later * 12) / 36, 9) },
    ]);
  });

  it('have times without costs where an instance has no price', async () => {
    run(instance({ instanceType: 'p5.48xlarge' }));
    await ENDINGS['that succeeded']();
    expect(states()?.map(({ usd }) => usd)).toEqual([null, null]);
  });

  it('are not known where the history does not answer, for which no run fails', async () => {
    run(instance({ market: 'ON_DEMAND' }));
    ports.before = (call) => {
      if (call === 'executions.visits') throw new Error('Step Functions is down');
    };
    await ENDINGS['that succeeded']();
    expect(states()).toBeUndefined();
    expect(record().status).toBe('SUCCEEDED');
    expect(ports.warnings).toEqual([expect.stringContaining('Step Functions is down')]);
  });
});
