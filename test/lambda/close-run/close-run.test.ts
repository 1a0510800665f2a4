import { beforeEach, describe, expect, it } from 'vitest';
import { CAMPAIGN, CLOSED, CURRENT, LEASE, RUN_RECORD } from '../../../domain/lake-objects.ts';
import { type RunRecord, runRecordSchema } from '../../../domain/records.ts';
import { closeRunOutputSchema } from '../../../domain/run.ts';
import { closeRun } from '../../../lambda/close-run/close-run.ts';
import { closingMeasurements } from '../../../lambda/close-run/measurements.ts';
import type { ClusterInstance } from '../../../lambda/ports/clusters.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  EVENTS,
  ingest,
  plan,
  planOf,
  runSteps,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

let ports: MemoryPorts;

beforeEach(() => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
});

const close = (input: unknown) => closeRun(input, worldOn(ports));
const caught = (
  runId: string,
  failure: { Error?: string; Cause?: string } = { Error: 'States.TaskFailed' },
) => ({
  runId,
  executionArn: arnOf(runId),
  startedAt: '2018-12-04T06:00:00.123Z',
  failure,
});
const ended = (runId: string, status: string, more: Record<string, unknown> = {}) => ({
  version: '0',
  source: 'aws.states',
  'detail-type': 'Step Functions Execution Status Change',
  detail: {
    executionArn: arnOf(runId),
    stateMachineArn: 'arn:aws:states:us-east-1:111122223333:stateMachine:churn',
    name: runId,
    status,
    startDate: Date.parse('2018-12-04T06:00:00Z'),
    stopDate: Date.parse('2018-12-04T07:00:00Z'),
    input: '{}',
    output: null,
    ...more,
  },
});
const sweep = { sweep: true };

function recordOf(runId: string): RunRecord | undefined {
  const text = ports.objects.text(at(RUN_RECORD.of(runId).key));
  return text === undefined ? undefined : runRecordSchema.parse(JSON.parse(text));
}
const leaseHolder = () => JSON.parse(ports.objects.text(at(LEASE.key)) ?? '{"holder":null}').holder;
const livingClusters = () => ports.clusters.all.filter((cluster) => cluster.state === 'RUNNING').length;

/** What must hold after any bad ending. */
function expectClosed(runId: string, status: RunRecord['status'] = 'FAILED'): void {
  expect(livingClusters()).toBe(0);
  expect(leaseHolder()).toBeNull();
  expect(recordOf(runId)?.status).toBe(status);
  expect(ports.notifications.published).toHaveLength(1);
}

async function startRun(runId = 'run-1'): Promise<void> {
  await plan(ports, runId);
  ports.clusters.start(runId, arnOf(runId));
}

describe('close-run for a run whose step failed', () => {
  const stepError = {
    step: 'train-models',
    errorClass: 'StepError',
    message: 'the log covers 20 days, 42 are needed',
    likelyCause: 'the log is too short',
    whatToDo: 'deliver 22 more days',
  };

  it("terminates the cluster, records the run, releases the lease, and reports the step's own error", async () => {
    await startRun();
    ingest(ports, 'run-1');
    ports.objects.put(planOf(ports, 'run-1').outputs.errors['train-models'], JSON.stringify(stepError));
    const answer = await close(caught('run-1'));
    expectClosed('run-1');
    expect(closeRunOutputSchema.loose().parse(answer)).toMatchObject({ Error: 'StepError' });
    const explanation =
      /TrainModels: the log covers 20 days, 42 are needed[\s\S]*too short[\s\S]*deliver 22 more days/;
    expect(answer.Cause).toMatch(explanation);
    expect(recordOf('run-1')).toMatchObject({ rows_read: 1_000, started_at: '2018-12-04T06:00:00.123Z' });
    expect(recordOf('run-1')?.error).toMatch(explanation);
    expect(ports.notifications.published[0]?.subject).toBe('Churn model: run failed in TrainModels');
    expect(ports.notifications.published[0]?.text).toMatch(explanation);
  });

  it('removes the list that the run has written', async () => {
    await startRun();
    ports.objects.put(at(CAMPAIGN.of('run-1').key), 'user_id');
    await close(caught('run-1'));
    expectClosed('run-1');
    expect(ports.objects.text(at(CAMPAIGN.of('run-1').key))).toBeUndefined();
  });

  it('does not blame an error of a step whose second attempt succeeded', async () => {
    await startRun();
    ports.objects.put(
      planOf(ports, 'run-1').outputs.errors['ingest-events'],
      JSON.stringify({ ...stepError, step: 'ingest-events' }),
    );
    ingest(ports, 'run-1');
    const { Cause } = await close(caught('run-1', { Error: 'States.Timeout', Cause: '' }));
    expect(Cause).toMatch(/^BuildFeatures: it took longer than it may/);
  });

  it("uses EMR's explanation when the step left no error, or a damaged one", async () => {
    await startRun();
    ports.objects.put(planOf(ports, 'run-1').outputs.errors['ingest-events'], '{"half');
    const [cluster] = ports.clusters.all;
    if (cluster === undefined) throw new Error('no cluster');
    ports.clusters.all[0] = {
      ...cluster,
      failedStep: { name: 'IngestEvents', reason: 'Unknown Error.', logUri: 's3://logs/steps/s-1/stderr.gz' },
    };
    const { Cause } = await close(caught('run-1'));
    expect(Cause).toMatch(/^IngestEvents: Unknown Error\.[\s\S]*read s3:\/\/logs\/steps\/s-1\/stderr\.gz/);
  });
});

describe('close-run for a run that ended in another way', () => {
  it('explains a cluster that never started by its reason', async () => {
    await plan(ports, 'run-1');
    ports.clusters.start('run-1', arnOf('run-1'), {
      state: 'TERMINATED_WITH_ERRORS',
      stateChangeReason: 'The vCPU quota is exceeded',
    });
    const { Cause } = await close(caught('run-1'));
    expect(Cause).toMatch(/cluster j-1 ended with errors: The vCPU quota is exceeded/);
    expectClosed('run-1');
  });

  it("reports a Lambda's own error with its message", async () => {
    const Cause = JSON.stringify({
      errorType: 'NoEventFiles',
      errorMessage: 'There are no event files at s3://raw/nowhere',
      trace: ['NoEventFiles: ...', 'at decide'],
    });
    const answer = await close(caught('run-1', { Error: 'NoEventFiles', Cause }));
    expect(answer).toMatchObject({ Error: 'NoEventFiles' });
    expect(answer.Cause).toMatch(
      /^PlanRun: There are no event files at s3:\/\/raw\/nowhere\nWhat to do: deliver/,
    );
    expectClosed('run-1');
  });

  it("reports the message of a service's error, wherever it is in the cause", async () => {
    await startRun();
    const Cause = JSON.stringify({
      Step: { Status: { State: 'FAILED', StateChangeReason: { Message: 'disk full' } } },
    });
    const answer = await close(caught('run-1', { Error: 'States.TaskFailed', Cause }));
    expect(answer.Cause).toContain('disk full');
  });

  it('says so when no cause was given', async () => {
    expect((await close(caught('run-1', {}))).Cause).toMatch(/^PlanRun: Unknown: no cause was given/);
    expectClosed('run-1');
  });

  it.each([
    ['ABORTED', 'stopped by hand'],
    ['TIMED_OUT', 'longer than a run may'],
    ['FAILED', 'no state could catch'],
  ])('handles %s, which no Catch sees, through the event', async (status, words) => {
    await startRun();
    ports.executions.set('run-1', 'FAILED');
    expect((await close(ended('run-1', status))).Cause).toContain(words);
    expectClosed('run-1');
  });

  it('closes a run that was aborted before anything was planned', async () => {
    ports.executions.set('run-1', 'ABORTED');
    await close(ended('run-1', 'ABORTED'));
    expectClosed('run-1');
  });
});

describe('close-run for a run that succeeded before something failed', () => {
  it("keeps the run's success, and the notification says so", async () => {
    await startRun();
    runSteps(ports, 'run-1');
    await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
    const before = recordOf('run-1');
    const { Cause } = await close(caught('run-1', { Error: 'Error', Cause: '{"errorMessage": "no chart"}' }));
    expect(recordOf('run-1')).toEqual(before);
    expectClosed('run-1', 'SUCCEEDED');
    expect(ports.notifications.published[0]?.subject).toMatch(/run succeeded, something failed after it/);
    expect(Cause).toMatch(/no chart\nWhat to do: nothing about the run/);
  });

  it('finishes the run if StoreMetrics died after writing the record', async () => {
    await startRun();
    runSteps(ports, 'run-1');
    ports.before = (call, uri) => {
      if (call === 'objects.write' && uri.endsWith('current.json')) throw new Error('the Lambda is gone');
    };
    await expect(storeMetrics(storeMetricsInput('run-1'), worldOn(ports))).rejects.toThrow();
    ports.before = undefined;
    await close(caught('run-1'));
    expectClosed('run-1', 'SUCCEEDED');
    expect(JSON.parse(ports.objects.text(at(CURRENT.key)) ?? '{}')).toMatchObject({ runId: 'run-1' });
    expect(ports.objects.uris().filter((uri) => uri.includes('/pending/'))).toEqual([]);
  });
});

describe('close-run for a start that was refused', () => {
  it('raises no alarm, leaves no record, and does not affect the run in progress', async () => {
    await startRun();
    await plan(ports, 'run-2');
    ports.executions.set('run-2', 'FAILED');
    await close(ended('run-2', 'FAILED', { error: 'Refused' }));
    await close(sweep);
    expect(ports.notifications.published).toEqual([]);
    expect(recordOf('run-2')).toBeUndefined();
    expect(leaseHolder()).toMatchObject({ runId: 'run-1' });
    expect(livingClusters()).toBe(1);
  });
});

describe('close-run called more than once', () => {
  it('notifies once when called by Catch, event and sweep one after another', async () => {
    await startRun();
    await close(caught('run-1'));
    ports.executions.set('run-1', 'FAILED');
    await close(ended('run-1', 'FAILED'));
    expect((await close(sweep)).closings).toEqual([]);
    expectClosed('run-1');
  });

  it('notifies once when called ten times at the same time', async () => {
    await startRun();
    ports.executions.set('run-1', 'FAILED');
    await Promise.all(Array.from({ length: 10 }, () => close(ended('run-1', 'FAILED'))));
    expectClosed('run-1');
  });

  it('closes the run after dying before any of its own steps', async () => {
    for (const crash of ['clusters.terminate', 'tables/runs', 'lease.json', 'notifyOnce', 'closed.json']) {
      ports = new MemoryPorts();
      ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
      await startRun();
      ports.before = (call, argument) => {
        if (/write|terminate|notifyOnce/.test(call) && `${call} ${argument}`.includes(crash))
          throw new Error('gone');
      };
      await expect(close(caught('run-1'))).rejects.toThrow('gone');
      ports.before = undefined;
      await close(caught('run-1'));
      expectClosed('run-1');
    }
  });

  it('does not notify if the marker exists, whatever an older version wrote into it', async () => {
    await startRun();
    ports.executions.set('run-1', 'FAILED');
    ports.objects.put(at(CLOSED.of('run-1').key), '{"claimedAt":"2018-12-04T06:00:00.000Z"}');
    await close(ended('run-1', 'FAILED'));
    expect(ports.notifications.published).toEqual([]);
    expect(recordOf('run-1')?.status).toBe('FAILED');
  });

  it('does not release the lease of the run that holds it now', async () => {
    await plan(ports, 'run-1');
    ports.executions.set('run-1', 'FAILED');
    await plan(ports, 'run-2');
    await close(ended('run-1', 'FAILED'));
    expect(leaseHolder()).toMatchObject({ runId: 'run-2' });
    expect(recordOf('run-1')?.status).toBe('FAILED');
  });
});

describe('the sweep', () => {
  it('closes runs for which no event arrived: with a cluster, with the lease, or with neither', async () => {
    await startRun('with-cluster');
    ports.executions.set('with-cluster', 'TIMED_OUT');
    ports.executions.set('with-nothing', 'ABORTED');
    const { closings } = await close(sweep);
    expect(closings.map(({ runId }) => runId).sort()).toEqual(['with-cluster', 'with-nothing']);
    expect(livingClusters()).toBe(0);
    expect(leaseHolder()).toBeNull();
    expect(ports.notifications.published).toHaveLength(2);
  });

  it('terminates a cluster that appears after its run was closed, without notifying again', async () => {
    await startRun();
    ports.executions.set('run-1', 'ABORTED');
    await close(ended('run-1', 'ABORTED'));
    ports.clusters.start('run-1', arnOf('run-1'));
    await close(sweep);
    expectClosed('run-1');
  });

  it('ignores a cluster that is already terminating, even when it closes the run for another reason', async () => {
    await startRun('ending');
    ports.executions.set('ending', 'SUCCEEDED');
    ports.clusters.terminationMilliseconds = 300_000;
    await ports.clusters.terminate('j-1');
    ports.objects.put(at(LEASE.key), '{"holder": null, "released": null}');
    expect((await close(sweep)).closings).toEqual([]);
    ports.executions.set('ending', 'FAILED');
    expect((await close(sweep)).closings).toMatchObject([{ runId: 'ending', clustersTerminated: 0 }]);
  });

  it('releases the lease of an execution that no longer exists', async () => {
    await plan(ports, 'run-1');
    ports.executions.all.clear();
    await close(sweep);
    expect(leaseHolder()).toMatchObject({ runId: 'run-1' });
    ports.clock.advance(3_600_000);
    await close(sweep);
    expectClosed('run-1');
  });

  it('does not touch a run in progress', async () => {
    await startRun();
    expect((await close(sweep)).closings).toEqual([]);
    expect(livingClusters()).toBe(1);
    expect(leaseHolder()).toMatchObject({ runId: 'run-1' });
  });

  it('closes the other runs when one of them cannot be closed', async () => {
    ports.executions.set('run-1', 'FAILED');
    ports.executions.set('run-2', 'FAILED');
    ports.before = (call, argument) => {
      if (call === 'clusters.living' && argument === 'run-1') throw new Error('throttled');
    };
    await expect(close(sweep)).rejects.toThrow(/runs not closed: Error: throttled/);
    expect(recordOf('run-2')?.status).toBe('FAILED');
  });
});

describe('the cost measured by a closing', () => {
  const ranFor = (hours: number, instanceType = 'm7g.xlarge'): ClusterInstance => {
    const startedAt = new Date('2018-12-04T06:00:00Z');
    const endedAt = new Date(startedAt.getTime() + hours * 3_600_000);
    return { instanceType, market: 'ON_DEMAND', zone: 'us-east-1a', startedAt, endedAt };
  };
  const costOf = (runId: string) => recordOf(runId)?.cost_usd ?? Number.NaN;
  const measured = async (input: unknown) => closingMeasurements((await close(input)).closings);

  it('is the cost of the failed run, counted once however often it is closed', async () => {
    await plan(ports, 'run-1');
    ports.clusters.start('run-1', arnOf('run-1'), { instances: [ranFor(2)] });
    expect(await measured(caught('run-1'))).toEqual({
      runsFailed: 1,
      clustersTerminatedByClosing: 1,
      costUsd: costOf('run-1'),
    });
    expect(costOf('run-1')).toBeGreaterThan(0);
    ports.executions.set('run-1', 'FAILED');
    expect(await measured(ended('run-1', 'FAILED'))).toEqual({
      runsFailed: 0,
      clustersTerminatedByClosing: 0,
    });
  });

  it('is that of the most expensive run when a sweep closes several', async () => {
    for (const [runId, hours] of [
      ['cheap', 1],
      ['dear', 3],
      ['middling', 2],
    ] as const) {
      ports.executions.set(runId, 'ABORTED');
      ports.clusters.start(runId, arnOf(runId), { instances: [ranFor(hours)] });
    }
    expect(await measured(sweep)).toMatchObject({ runsFailed: 3, costUsd: costOf('dear') });
    expect(costOf('dear')).toBeCloseTo(3 * costOf('cheap'), 9);
  });

  it('is left out if it is unknown, and for a run that succeeded, which StoreMetrics has already measured', async () => {
    ports.executions.set('unknown', 'ABORTED');
    ports.clusters.start('unknown', arnOf('unknown'), { instances: [ranFor(1, 'p5.48xlarge')] });
    expect(await measured(sweep)).not.toHaveProperty('costUsd');
    await startRun();
    runSteps(ports, 'run-1');
    await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
    expect(await measured(caught('run-1'))).toEqual({ runsFailed: 0, clustersTerminatedByClosing: 0 });
  });
});

it('close-run refuses an input that is not from the Catch, the rule or the sweep', async () => {
  await expect(close({ sweep: false })).rejects.toThrow();
  await expect(close(ended('run-1', 'SUCCEEDED'))).rejects.toThrow();
});
