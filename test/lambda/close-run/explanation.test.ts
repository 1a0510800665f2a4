import { beforeAll, describe, expect, it } from 'vitest';
import { STEP_NAMES } from '../../../domain/run.ts';
import type { Evidence } from '../../../lambda/close-run/evidence.ts';
import { explain } from '../../../lambda/close-run/explanation.ts';
import type { ClusterDescription } from '../../../lambda/ports/ports.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { EVENTS, plan, planOf } from '../../support/run-fixture.ts';

const CLUSTER: ClusterDescription = {
  clusterId: 'j-1',
  state: 'TERMINATED',
  stateChangeReason: null,
  failedStep: null,
  instances: [],
};
const NOTHING: Evidence = { plan: undefined, ingest: undefined, finished: [], stepErrors: [], clusters: [] };

const where = (evidence: Evidence): string => explain(evidence, { error: undefined, cause: undefined }).where;

describe('an explanation without an error of its own names the state', () => {
  let planned = NOTHING;

  beforeAll(async () => {
    const ports = new MemoryPorts();
    ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events', 500_000);
    await plan(ports, 'run-1');
    planned = { ...NOTHING, plan: planOf(ports, 'run-1') };
  });

  it('PlanRun when there is no plan', () => {
    expect(where(NOTHING)).toBe('PlanRun');
  });

  it('CreateCluster when there is a plan and nothing else', () => {
    expect(where(planned)).toBe('CreateCluster');
  });

  it.each([
    [0, 'IngestEvents'],
    [1, 'BuildFeatures'],
    [2, 'TrainModels'],
    [3, 'ScoreUsers'],
    [4, 'TerminateCluster, ReconcileLake or StoreMetrics'],
  ])('when %i steps have a result: %s', (steps, state) => {
    const finished = STEP_NAMES.slice(0, steps);
    expect(where({ ...planned, clusters: [CLUSTER], finished })).toBe(state);
  });

  it('of the next step when a step has a result and EMR no longer lists the cluster', () => {
    expect(where({ ...planned, finished: ['ingest-events'] })).toBe('BuildFeatures');
  });
});
