/** Starts from the plan of a run that failed, and when they are refused. */
import { describe, expect, it } from 'vitest';
import { PLAN, STEP_ERROR, STEP_RESULT } from '../../../domain/lake-objects.ts';
import { arnOf } from '../../support/memory-ports.ts';
import { closedRun, leaseOf, portsWithLog, succeed } from '../../support/planned-runs.ts';
import { at, DEPLOYMENT, EVENTS, ingest, NEXT_DEPLOYMENT, plan, planOf } from '../../support/run-fixture.ts';

describe('resuming a run', () => {
  it('uses the same batch and results, but scores again and keeps its own errors', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1', { horizonDays: 7 });
    ingest(ports, 'run-1');
    await closedRun(ports, 'run-1');
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'comes too late for this one');
    expect(await plan(ports, 'run-2', { resume: 'run-1' })).toMatchObject({
      decision: 'run',
      runId: 'run-2',
    });
    const [before, after] = [planOf(ports, 'run-1'), planOf(ports, 'run-2')];
    expect(after.batch).toEqual(before.batch);
    expect(after.training).toEqual(before.training);
    expect(after.executionArn).toBe(arnOf('run-2'));
    expect(after.outputs.results['ingest-events']).toBe(before.outputs.results['ingest-events']);
    expect(after.outputs.results['score-users']).toBe(at(STEP_RESULT['score-users'].of('run-2').key));
    expect(after.outputs.errors['train-models']).toBe(at(STEP_ERROR['train-models'].of('run-2').key));
  });

  it('is refused when there is no plan, or when the run succeeded', async () => {
    const ports = portsWithLog();
    await expect(plan(ports, 'run-1', { resume: 'run-0' })).rejects.toMatchObject({ name: 'CannotResume' });
    await succeed(ports, 'run-2');
    await expect(plan(ports, 'run-3', { resume: 'run-2' })).rejects.toThrow(
      /"run-2" cannot be resumed: it succeeded/,
    );
    expect(leaseOf(ports)).toBeNull();
  });

  it('is refused when another run has changed the lake since; that run may be resumed', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await closedRun(ports, 'run-1');
    await plan(ports, 'run-2', { resume: 'run-1' });
    await closedRun(ports, 'run-2');
    await expect(plan(ports, 'run-3', { resume: 'run-1' })).rejects.toThrow(
      /run-2 has changed the lake since/,
    );
    expect(await plan(ports, 'run-4', { resume: 'run-2' })).toMatchObject({ decision: 'run' });
  });

  it('is refused across releases, in one sentence: the steps of one may not understand what those of another wrote', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await closedRun(ports, 'run-1');
    const resumed = plan(ports, 'run-2', { resume: 'run-1' }, NEXT_DEPLOYMENT);
    await expect(resumed).rejects.toMatchObject({ name: 'CannotResume' });
    await expect(resumed).rejects.toThrow(
      'Run "run-1" cannot be resumed: it was planned by release 0123456789ab, and this is release ba9876543210; start a new run.',
    );
    expect(leaseOf(ports)).toBeNull();
    expect(await plan(ports, 'run-3', {}, NEXT_DEPLOYMENT)).toMatchObject({ decision: 'run' });
    expect(planOf(ports, 'run-3').release).toBe('ba9876543210');
  });

  it('is refused in a deployment that has another database: the steps that are skipped wrote to the former one', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await closedRun(ports, 'run-1');
    const imported = { ...DEPLOYMENT, database: 'churn_test_9f9f9f9f' };
    await expect(plan(ports, 'run-2', { resume: 'run-1' }, imported)).rejects.toThrow(
      'Run "run-1" cannot be resumed: it was planned for database churn_test_0a1b2c3d, and this deployment has churn_test_9f9f9f9f; start a new run.',
    );
    expect(leaseOf(ports)).toBeNull();
  });

  it('is refused for a plan of before there were releases, which can still be read', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await closedRun(ports, 'run-1');
    const { release, ...old } = planOf(ports, 'run-1');
    ports.objects.put(at(PLAN.of('run-1').key), JSON.stringify(old));
    await expect(plan(ports, 'run-2', { resume: 'run-1' })).rejects.toThrow(
      `it was planned by release none, and this is release ${release}; start a new run.`,
    );
  });

  it('is not prevented by a start that failed before it planned anything', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await closedRun(ports, 'run-1');
    await expect(plan(ports, 'run-2', { seed: -1 })).rejects.toThrow();
    await closedRun(ports, 'run-2');
    expect(await plan(ports, 'run-3', { resume: 'run-1' })).toMatchObject({ decision: 'run' });
  });
});
