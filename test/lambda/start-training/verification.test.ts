/** How a run is planned that only trains a stored model again, and what the others make of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { SNAPSHOT_RETENTION_DAYS } from '../../../domain/lake.ts';
import { LAKE_FORMAT } from '../../../domain/lake-format.ts';
import { FORMAT, LEASE, modelFolder, PLAN, RUN_RECORD, runFolder } from '../../../domain/lake-objects.ts';
import { runRecordSchema } from '../../../domain/records.ts';
import { closeRun } from '../../../lambda/close-run/close-run.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  DEPLOYMENT,
  EVENTS,
  NEXT_DEPLOYMENT,
  plan,
  planOf,
  runStep,
  runSteps,
  runWithoutTraining,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

const DAY_MILLISECONDS = 86_400_000;
let ports: MemoryPorts;

beforeEach(async () => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
  await plan(ports, 'run-1', { seed: 7 });
  runSteps(ports, 'run-1');
  await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
  ports.executions.set('run-1', 'SUCCEEDED');
  ports.clock.advance(3_600_000);
});

const verify = (runId = 'verify-1', verified = 'run-1') => plan(ports, runId, { verify: verified });
const record = (runId: string) => {
  const text = ports.objects.text(at(RUN_RECORD.of(runId).key));
  return text === undefined ? undefined : runRecordSchema.parse(JSON.parse(text));
};
async function fail(runId: string): Promise<string> {
  const executionArn = ports.executions.set(runId, 'FAILED');
  const startedAt = ports.clock.now().toISOString();
  const failure = { Error: 'States.Timeout' };
  const { Cause: cause } = await closeRun({ runId, executionArn, startedAt, failure }, worldOn(ports));
  ports.clock.advance(3_600_000);
  return cause;
}

describe('a run that verifies a model', () => {
  it('trains from the results of the run that it verifies, and writes only what is its own', async () => {
    expect(await verify()).toMatchObject({
      decision: 'verify',
      runId: 'verify-1',
      planUri: at(PLAN.of('verify-1').key),
      cluster: planOf(ports, 'run-1').cluster,
    });
    const [verified, own] = [planOf(ports, 'run-1'), planOf(ports, 'verify-1')];
    expect(own).toMatchObject({ runId: 'verify-1', executionArn: arnOf('verify-1'), verifies: 'run-1' });
    for (const part of ['training', 'champion', 'batch', 'scoring', 'cluster'] as const)
      expect(own[part]).toEqual(verified[part]);
    const { results, errors, model, choice, campaign, trainingDecision } = own.outputs;
    expect(results['build-features']).toBe(verified.outputs.results['build-features']);
    expect(model).toBe(at(modelFolder('verify-1')));
    const written = [results['train-models'], ...Object.values(errors), choice, campaign, trainingDecision];
    for (const uri of written) expect(uri).toContain(`/${runFolder('verify-1')}/`);
    expect(own.expiredRuns).toEqual([]);
  });

  it('takes no lease: another run may be in progress, and is not disturbed', async () => {
    ports.objects.put(`${EVENTS}/later.json`, 'events');
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
    const lease = ports.objects.text(at(LEASE.key));
    expect(await verify()).toMatchObject({ decision: 'verify' });
    expect(ports.objects.text(at(LEASE.key))).toBe(lease);
    await fail('verify-1');
    expect(ports.objects.text(at(LEASE.key))).toBe(lease);
  });

  it('has one plan, however often it is planned', async () => {
    await verify();
    const first = ports.objects.text(at(PLAN.of('verify-1').key));
    ports.clock.advance(60_000);
    expect(await verify()).toMatchObject({ decision: 'verify' });
    expect(ports.objects.text(at(PLAN.of('verify-1').key))).toBe(first);
  });

  it('that fails says where, is no reason for other runs to start over, and cannot be resumed', async () => {
    await plan(ports, 'run-2', { force: true });
    await fail('run-2');
    await verify();
    expect(await fail('verify-1')).toMatch(/^CreateCluster: /);
    expect(record('verify-1')).toMatchObject({ status: 'FAILED', batch_id: null, rows_read: null });
    await expect(plan(ports, 'run-3', { resume: 'verify-1' })).rejects.toThrow(
      /only trained the model of run run-1 again: `churn models --verify run-1`/,
    );
    expect(await plan(ports, 'run-4', { resume: 'run-2' })).toMatchObject({ decision: 'run' });
  });

  it('whose cluster is left after training is said to have failed there', async () => {
    await verify();
    ports.clusters.start('verify-1', arnOf('verify-1'));
    expect(await fail('verify-1')).toMatch(/^TrainModels: /);
    await verify('verify-2');
    ports.clusters.start('verify-2', arnOf('verify-2'));
    runStep(ports, 'verify-2', 'train-models');
    expect(await fail('verify-2')).toMatch(/^TerminateCluster: /);
  });
});

describe('a verification is refused', () => {
  const refusal = async (verified = 'run-1', deployment = DEPLOYMENT): Promise<string> => {
    const error: unknown = await plan(ports, 'verify-1', { verify: verified }, deployment).catch(
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof Error)) throw new Error('it was not refused');
    expect(ports.objects.text(at(PLAN.of('verify-1').key))).toBeUndefined();
    return `${error.name}: ${error.message}`;
  };

  it('for a run that is unknown or has not trained', async () => {
    expect(await refusal('nobody')).toMatch(/^CannotVerify: .*has no plan: there is no such run/);
    await plan(ports, 'run-2', { force: true, train: 'never' });
    await runWithoutTraining(ports, 'run-2');
    expect(await refusal('run-2')).toMatch(/has trained no model: name a run that has/);
  });

  it('for a run that itself verified another', async () => {
    await verify('verify-0');
    runStep(ports, 'verify-0', 'train-models');
    expect(await refusal('verify-0')).toMatch(/was itself started to verify run run-1/);
  });

  it('where another release would train, or the snapshots are gone', async () => {
    expect(await refusal('run-1', NEXT_DEPLOYMENT)).toMatch(
      /planned by release 0123456789ab .*this is release ba9876543210/,
    );
    ports.clock.advance(SNAPSHOT_RETENTION_DAYS * DAY_MILLISECONDS);
    expect(await refusal()).toMatch(/was planned 90 days ago, .* are kept for 90: verify a newer run/);
  });

  it('over the budget, and on a lake that a later release has written', async () => {
    const settings = { ...DEPLOYMENT.settings, budgetUsd: 0.01 };
    expect(await refusal('run-1', { ...DEPLOYMENT, settings })).toMatch(/^OverBudget: .*raise budgetUsd/);
    ports.objects.put(at(FORMAT.key), JSON.stringify({ format: LAKE_FORMAT + 1, release: 'later' }));
    expect(await refusal()).toMatch(/^InvalidConfiguration: /);
  });

  it.each([
    [{ verify: 'run-1', seed: 1 }, /"seed": a run that resumes or verifies another takes its plan as it was/],
    [{ verify: '../../x' }, /"verify" is .*not a run's id/],
    [{ verify: 'run-1', resume: 'run-1' }, /"resume" and "verify": a run does one or the other/],
  ])('with the request %j', async (request, words) => {
    await expect(plan(ports, 'verify-1', request)).rejects.toThrow(words);
  });
});
