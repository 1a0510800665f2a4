import { beforeEach, describe, expect, it } from 'vitest';
import { KEYS } from '../../../domain/lake.ts';
import { type RunRecord, runRecordSchema } from '../../../domain/records.ts';
import { closeRunOutputSchema } from '../../../domain/run.ts';
import { closeRun } from '../../../lambda/close-run/close-run.ts';
import { closingMeasurements } from '../../../lambda/close-run/measurements.ts';
import type { ClusterInstance } from '../../../lambda/ports/ports.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  CONTEXT,
  EVENTS,
  ingest,
  plan,
  planOf,
  runSteps,
  storeMetricsInput,
} from '../../support/run-fixture.ts';

let ports: MemoryPorts;

beforeEach(() => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
});

const close = (input: unknown) => closeRun(input, ports, CONTEXT);
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
  const text = ports.objects.text(at(KEYS.runRecord(runId)));
  return text === undefined ? undefined : runRecordSchema.parse(JSON.parse(text));
}
const leaseHolder = () => JSON.parse(ports.objects.text(at(KEYS.lease)) ?? '{"holder":null}').holder;
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

describe('a run whose step failed', () => {
  const stepError = {
    step: 'train-models',
    errorClass: 'StepError',
    message: 'the log covers 20 days, 42 are needed',
    likelyCause: 'the log is too short',
    whatToDo: 'deliver 22 more days',
  };

  it('ends its cluster, is recorded, gives the lease back, and says what the step said', async () => {
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

  it('is not blamed on an error that a second try of the step has mended', async () => {
    await startRun();
    ports.objects.put(
      planOf(ports, 'run-1').outputs.errors['ingest-events'],
      JSON.stringify({ ...stepError, step: 'ingest-events' }),
    );
    ingest(ports, 'run-1');
    const { Cause } = await close(caught('run-1', { Error: 'States.Timeout', Cause: '' }));
    expect(Cause).toMatch(/^BuildFeatures: it took longer than it may/);
  });

  it('is explained by EMR when the step left no word, and by damaged words as if there were none', async () => {
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

describe('what else can end a run', () => {
  it('a cluster that never came up is explained by its reason', async () => {
    await plan(ports, 'run-1');
    ports.clusters.start('run-1', arnOf('run-1'), {
      state: 'TERMINATED_WITH_ERRORS',
      stateChangeReason: 'The vCPU quota is exceeded',
    });
    const { Cause } = await close(caught('run-1'));
    expect(Cause).toMatch(/cluster j-1 ended with errors: The vCPU quota is exceeded/);
    expectClosed('run-1');
  });

  it("a Lambda's own error is told in its words", async () => {
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

  it('an error of a service is told by its message, wherever that stands', async () => {
    await startRun();
    const Cause = JSON.stringify({
      Step: { Status: { State: 'FAILED', StateChangeReason: { Message: 'disk full' } } },
    });
    const answer = await close(caught('run-1', { Error: 'States.TaskFailed', Cause }));
    expect(answer.Cause).toContain('disk full');
  });

  it('a cause that says nothing is named as such', async () => {
    expect((await close(caught('run-1', {}))).Cause).toMatch(/^PlanRun: Unknown: no cause was given/);
    expectClosed('run-1');
  });

  it.each([
    ['ABORTED', 'stopped by hand'],
    ['TIMED_OUT', 'longer than a run may'],
    ['FAILED', 'no state could catch'],
  ])('%s, which no Catch sees, comes by the event', async (status, words) => {
    await startRun();
    ports.executions.set('run-1', 'FAILED');
    expect((await close(ended('run-1', status))).Cause).toContain(words);
    expectClosed('run-1');
  });

  it('an abort before anything was planned is closed all the same', async () => {
    ports.executions.set('run-1', 'ABORTED');
    await close(ended('run-1', 'ABORTED'));
    expectClosed('run-1');
  });
});

describe('a run that succeeded before something failed', () => {
  it('stays a success, and the notification says so', async () => {
    await startRun();
    runSteps(ports, 'run-1');
    await storeMetrics(storeMetricsInput('run-1'), ports, CONTEXT);
    const before = recordOf('run-1');
    const { Cause } = await close(caught('run-1', { Error: 'Error', Cause: '{"errorMessage": "no chart"}' }));
    expect(recordOf('run-1')).toEqual(before);
    expectClosed('run-1', 'SUCCEEDED');
    expect(ports.notifications.published[0]?.subject).toMatch(/run succeeded, something failed after it/);
    expect(Cause).toMatch(/no chart\nWhat to do: nothing about the run/);
  });

  it('is finished where StoreMetrics died after its record', async () => {
    await startRun();
    runSteps(ports, 'run-1');
    ports.before = (call, uri) => {
      if (call === 'objects.write' && uri.endsWith('current.json')) throw new Error('the Lambda is gone');
    };
    await expect(storeMetrics(storeMetricsInput('run-1'), ports, CONTEXT)).rejects.toThrow();
    ports.before = undefined;
    await close(caught('run-1'));
    expectClosed('run-1', 'SUCCEEDED');
    expect(JSON.parse(ports.objects.text(at(KEYS.current)) ?? '{}')).toMatchObject({ runId: 'run-1' });
    expect(ports.objects.uris().filter((uri) => uri.includes('/pending/'))).toEqual([]);
  });
});

describe('a start that was refused', () => {
  it('pages nobody, leaves no record, and harms nothing of the run that lives', async () => {
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

describe('being called more than once', () => {
  it('by Catch, event and sweep, one after the other, tells people once', async () => {
    await startRun();
    await close(caught('run-1'));
    ports.executions.set('run-1', 'FAILED');
    await close(ended('run-1', 'FAILED'));
    expect((await close(sweep)).closings).toEqual([]);
    expectClosed('run-1');
  });

  it('by ten at once tells people once', async () => {
    await startRun();
    ports.executions.set('run-1', 'FAILED');
    await Promise.all(Array.from({ length: 10 }, () => close(ended('run-1', 'FAILED'))));
    expectClosed('run-1');
  });

  it('after dying before any of its steps, closes all the same', async () => {
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

  it('tells nobody where the marker is, whatever an older version wrote into it', async () => {
    await startRun();
    ports.executions.set('run-1', 'FAILED');
    ports.objects.put(at(KEYS.closed('run-1')), '{"claimedAt":"2018-12-04T06:00:00.000Z"}');
    await close(ended('run-1', 'FAILED'));
    expect(ports.notifications.published).toEqual([]);
    expect(recordOf('run-1')?.status).toBe('FAILED');
  });

  it('takes no lease from the run that holds it now', async () => {
    await plan(ports, 'run-1');
    ports.executions.set('run-1', 'FAILED');
    await plan(ports, 'run-2');
    await close(ended('run-1', 'FAILED'));
    expect(leaseHolder()).toMatchObject({ runId: 'run-2' });
    expect(recordOf('run-1')?.status).toBe('FAILED');
  });
});

describe('the sweep', () => {
  it('closes what no event told of: a cluster, a lease, an execution that left neither', async () => {
    await startRun('with-cluster');
    ports.executions.set('with-cluster', 'TIMED_OUT');
    ports.executions.set('with-nothing', 'ABORTED');
    const { closings } = await close(sweep);
    expect(closings.map(({ runId }) => runId).sort()).toEqual(['with-cluster', 'with-nothing']);
    expect(livingClusters()).toBe(0);
    expect(leaseHolder()).toBeNull();
    expect(ports.notifications.published).toHaveLength(2);
  });

  it('ends a cluster that appears after its run was closed, and tells nobody again', async () => {
    await startRun();
    ports.executions.set('run-1', 'ABORTED');
    await close(ended('run-1', 'ABORTED'));
    ports.clusters.start('run-1', arnOf('run-1'));
    await close(sweep);
    expectClosed('run-1');
  });

  it('leaves a cluster alone that is ending already, also when it closes the run for another reason', async () => {
    await startRun('ending');
    ports.executions.set('ending', 'SUCCEEDED');
    ports.clusters.terminationMilliseconds = 300_000;
    await ports.clusters.terminate('j-1');
    ports.objects.put(at(KEYS.lease), '{"holder": null, "released": null}');
    expect((await close(sweep)).closings).toEqual([]);
    ports.executions.set('ending', 'FAILED');
    expect((await close(sweep)).closings).toMatchObject([{ runId: 'ending', clustersTerminated: 0 }]);
  });

  it('frees the lease of an execution that is long forgotten', async () => {
    await plan(ports, 'run-1');
    ports.executions.all.clear();
    await close(sweep);
    expect(leaseHolder()).toMatchObject({ runId: 'run-1' });
    ports.clock.advance(3_600_000);
    await close(sweep);
    expectClosed('run-1');
  });

  it('leaves a run that lives alone', async () => {
    await startRun();
    expect((await close(sweep)).closings).toEqual([]);
    expect(livingClusters()).toBe(1);
    expect(leaseHolder()).toMatchObject({ runId: 'run-1' });
  });

  it('closes the others when one of them cannot be closed', async () => {
    ports.executions.set('run-1', 'FAILED');
    ports.executions.set('run-2', 'FAILED');
    ports.before = (call, argument) => {
      if (call === 'clusters.living' && argument === 'run-1') throw new Error('throttled');
    };
    await expect(close(sweep)).rejects.toThrow(/runs not closed: Error: throttled/);
    expect(recordOf('run-2')?.status).toBe('FAILED');
  });
});

describe('what a closing measures', () => {
  const ranFor = (hours: number, instanceType = 'm7g.xlarge'): ClusterInstance => {
    const startedAt = new Date('2018-12-04T06:00:00Z');
    const endedAt = new Date(startedAt.getTime() + hours * 3_600_000);
    return { instanceType, market: 'ON_DEMAND', zone: 'us-east-1a', startedAt, endedAt };
  };
  const costOf = (runId: string) => recordOf(runId)?.cost_usd ?? Number.NaN;
  const measured = async (input: unknown) => closingMeasurements((await close(input)).closings);

  it('is what the failed run cost, once, however often it is closed', async () => {
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

  it('is, of several runs that a sweep closes, what the dearest cost', async () => {
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

  it('is no cost where none is known, and none of a run that succeeded: StoreMetrics has told it', async () => {
    ports.executions.set('unknown', 'ABORTED');
    ports.clusters.start('unknown', arnOf('unknown'), { instances: [ranFor(1, 'p5.48xlarge')] });
    expect(await measured(sweep)).not.toHaveProperty('costUsd');
    await startRun();
    runSteps(ports, 'run-1');
    await storeMetrics(storeMetricsInput('run-1'), ports, CONTEXT);
    expect(await measured(caught('run-1'))).toEqual({ runsFailed: 0, clustersTerminatedByClosing: 0 });
  });
});

it('an input that is none of the three is refused', async () => {
  await expect(close({ sweep: false })).rejects.toThrow();
  await expect(close(ended('run-1', 'SUCCEEDED'))).rejects.toThrow();
});
