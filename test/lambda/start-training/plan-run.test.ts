import { describe, expect, it } from 'vitest';
import { KEYS } from '../../../domain/lake.ts';
import { closeRun } from '../../../lambda/close-run/close-run.ts';
import { UnlistableError } from '../../../lambda/ports/ports.ts';
import { planRun } from '../../../lambda/start-training/plan-run.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { gate } from '../../support/fault-ports.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  CONTEXT,
  EVENTS,
  ingest,
  LAKE,
  plan,
  planOf,
  runSteps,
  storeMetricsInput,
} from '../../support/run-fixture.ts';

function portsWithLog(files: readonly string[] = ['2018-10-01.json', '2018-10-02.jsonl.gz']): MemoryPorts {
  const ports = new MemoryPorts();
  for (const file of files) ports.objects.put(`${EVENTS}/${file}`, file);
  return ports;
}

async function succeed(ports: MemoryPorts, runId: string, request: unknown = {}): Promise<void> {
  expect(await plan(ports, runId, request)).toMatchObject({ decision: 'run' });
  runSteps(ports, runId);
  await storeMetrics(storeMetricsInput(runId), ports, CONTEXT);
  ports.executions.set(runId, 'SUCCEEDED');
  ports.clock.advance(3_600_000);
}

/** Lets the run fail and be closed. */
async function failAfter(ports: MemoryPorts, runId: string): Promise<void> {
  const executionArn = ports.executions.set(runId, 'FAILED');
  const startedAt = ports.clock.now().toISOString();
  await closeRun({ runId, executionArn, startedAt, failure: { Error: 'States.Timeout' } }, ports, CONTEXT);
  ports.clock.advance(3_600_000);
}

const leaseOf = (ports: MemoryPorts) =>
  JSON.parse(ports.objects.text(at(KEYS.lease)) ?? '{"holder":null}').holder;

describe('a first start', () => {
  it('plans every event file of the log, and nothing else that lies there', async () => {
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
    expect(decision).toMatchObject({ decision: 'run', runId: 'run-1', planUri: at(KEYS.plan('run-1')) });
    const { batch, outputs, ingest: limits } = planOf(ports, 'run-1');
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

  it('gives the same answer when the state is tried again, and changes nothing', async () => {
    const ports = portsWithLog();
    const first = await plan(ports, 'run-1');
    const written = planOf(ports, 'run-1');
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'came in between');
    expect(await plan(ports, 'run-1')).toEqual(first);
    expect(planOf(ports, 'run-1')).toEqual(written);
  });

  it('plans the same batch when it crashes before any of its writes and is tried again', async () => {
    const undisturbed = portsWithLog();
    await plan(undisturbed, 'run-1');
    for (const crash of [KEYS.lease, 'pending/', KEYS.plan('run-1')]) {
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

  it('answers with the plan that is stored when two tries overlap and files come in between', async () => {
    const ports = portsWithLog();
    const [reached, resumed] = [gate(), gate()];
    ports.before = async (call, uri) => {
      if (call !== 'objects.write' || uri !== at(KEYS.plan('run-1'))) return;
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

  it('takes what the request overrides, and the defaults for the rest', async () => {
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

describe('a request that makes no sense', () => {
  it.each([
    [{ horizon: 7 }, /"horizon": no such field; allowed are events, observationEnd/],
    [{ horizonDays: 0 }, /"horizonDays" is 0: .*>=1/],
    [{ horizonDays: '14' }, /"horizonDays" is "14": .*expected number/],
    [{ observationEnd: '2018-02-31' }, /"observationEnd" is "2018-02-31": there is no such day/],
    [{ observationEnd: '2031-01-01' }, /"observationEnd".*at most 2018-12-05/],
    [{ maxQuarantineShare: 1.5 }, /"maxQuarantineShare" is 1.5/],
    [{ events: 's3://raw/other/' }, /"events" is "s3:\/\/raw\/other\/": must lie below s3:\/\/raw\/events,/],
    [{ events: 's3://raw/events-of-others/*.json' }, /"events" is .*: must lie below s3:\/\/raw\/events,/],
    [{ events: 's3://raw' }, /"events" is "s3:\/\/raw": must lie below/],
    [{ events: 's3://elsewhere/events/' }, /"events" is .*: must lie below/],
    [{ resume: 'run-0', seed: 1 }, /"seed": a resumed run takes the plan as it was/],
    [{ resume: '../../x' }, /"resume" is .*no run's id/],
    ['all', /the request: .*\{\} asks for the defaults/],
  ])('%j is refused by name', async (request, message) => {
    const ports = portsWithLog();
    const start = plan(ports, 'run-1', request);
    await expect(start).rejects.toMatchObject({ name: 'InvalidRequest' });
    await expect(start).rejects.toThrow(message);
    expect(leaseOf(ports)).toBeNull();
  });

  it.each(['', '/', '/deep', '/deep/*.json', '/2018-10-01.json'])(
    'a place in the log is none: %j below its root',
    async (place) => {
      const ports = portsWithLog(['2018-10-01.json', 'deep/2018-10-02.json']);
      expect(await plan(ports, 'run-1', { events: `${EVENTS}${place}` })).toMatchObject({ decision: 'run' });
    },
  );

  it('an execution whose name could not stand in a key or in SQL is refused', async () => {
    await expect(plan(portsWithLog(), "x' OR 1=1 --")).rejects.toMatchObject({ name: 'InvalidRequest' });
  });
});

describe('a place without event files', () => {
  it('is named, with the endings that are read, and the lease is given back', async () => {
    const ports = new MemoryPorts();
    const start = plan(ports, 'run-1', { events: `${EVENTS}/nowhere` });
    await expect(start).rejects.toMatchObject({ name: 'NoEventFiles' });
    await expect(start).rejects.toThrow(
      /s3:\/\/raw\/events\/nowhere.*\.json, \.jsonl, \.json\.gz, \.jsonl\.gz/,
    );
    expect(leaseOf(ports)).toBeNull();
  });

  it.each(['_export.json', '.export.json.gz', 'deep/_export.jsonl'])(
    'is a file that Spark would pass over, though it is named: %s',
    async (file) => {
      const ports = portsWithLog([file, '2018-10-01.json']);
      const start = plan(ports, 'run-1', { events: `${EVENTS}/${file}` });
      await expect(start).rejects.toMatchObject({ name: 'NoEventFiles' });
      await expect(start).rejects.toThrow(/Spark passes over files whose names begin with "_" .*Rename it/);
      expect(leaseOf(ports)).toBeNull();
    },
  );

  it('is a glob that matches only what Spark would pass over', async () => {
    const start = plan(portsWithLog(['_export.json']), 'run-1', { events: `${EVENTS}/_*.json` });
    await expect(start).rejects.toMatchObject({ name: 'NoEventFiles' });
    await expect(start).rejects.toThrow(/names that begin with "_" or "\." are passed over/);
  });

  it('is none when a folder above the files has such a name, and is itself what was named', async () => {
    const ports = portsWithLog(['_export/2018-10-01.json', '_export/_draft.json', '2018-10-02.json']);
    await plan(ports, 'run-1', { events: `${EVENTS}/_export/` });
    expect(planOf(ports, 'run-1').batch.files.map(({ uri }) => uri)).toEqual([
      `${EVENTS}/_export/2018-10-01.json`,
    ]);
  });
});

describe('a log that cannot be listed', () => {
  const unlistable = (reason: UnlistableError['reason']): MemoryPorts => {
    const ports = portsWithLog();
    ports.before = (call, location) => {
      if (call === 'objects.list' && !location.startsWith(LAKE)) {
        throw new UnlistableError(location, reason, new Error('as S3 says'));
      }
    };
    return ports;
  };

  it.each([
    [
      'no such bucket',
      /s3:\/\/raw\/events\S* cannot be listed.*as S3 says\nMake the bucket, or set churn:rawBucket/,
    ],
    ['access denied', /s3:\/\/raw\/events\S* cannot be listed.*as S3 says\nAdmit .* or set churn:rawBucket/],
  ] as const)(
    'is a mistake of the configuration, also when a request names a place in it: %s',
    async (reason, words) => {
      for (const request of [{}, { events: `${EVENTS}/2018-10-01.json` }]) {
        const ports = unlistable(reason);
        const start = plan(ports, 'run-1', request);
        await expect(start).rejects.toMatchObject({ name: 'InvalidConfiguration' });
        await expect(start).rejects.toThrow(words);
        expect(leaseOf(ports)).toBeNull();
      }
    },
  );
});

describe('a later start', () => {
  it('has nothing to do when all is in the lake, and gives the lease back', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    expect(await plan(ports, 'run-2')).toMatchObject({
      decision: 'nothing-to-do',
      reason: expect.stringMatching(/all 2 event files/),
    });
    expect(leaseOf(ports)).toBeNull();
  });

  it('takes only new files, and those that were replaced', async () => {
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

  it('runs on the last batch when forced, with its first day', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    ports.clock.advance(5 * 86_400_000);
    expect(await plan(ports, 'run-2', { force: true })).toMatchObject({ decision: 'run' });
    expect(planOf(ports, 'run-2').batch).toEqual(planOf(ports, 'run-1').batch);
    expect(planOf(ports, 'run-2').abandonedBatchIds).toEqual([]);
  });

  it('takes up a batch whose run failed after ingest', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    ingest(ports, 'run-1');
    await failAfter(ports, 'run-1');
    ports.clock.advance(2 * 86_400_000);
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
    expect(planOf(ports, 'run-2').batch).toEqual(planOf(ports, 'run-1').batch);
    expect(planOf(ports, 'run-2').abandonedBatchIds).toEqual([]);
  });

  it('names batches that were begun and never finished, its own among them', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    const first = planOf(ports, 'run-1').batch;
    await failAfter(ports, 'run-1');
    ports.clock.advance(86_400_000);
    await plan(ports, 'run-2');
    expect(planOf(ports, 'run-2').batch).toEqual(first);
    expect(planOf(ports, 'run-2').abandonedBatchIds).toEqual([first.batchId]);
    await failAfter(ports, 'run-2');
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'new');
    await plan(ports, 'run-3');
    expect(planOf(ports, 'run-3').batch.batchId).not.toBe(first.batchId);
    expect(planOf(ports, 'run-3').abandonedBatchIds).toEqual([first.batchId]);
    runSteps(ports, 'run-3');
    await storeMetrics(storeMetricsInput('run-3'), ports, CONTEXT);
    expect(ports.objects.uris().filter((uri) => uri.includes('/pending/'))).toEqual([]);
  });

  it('keeps the marker of an abandoned batch for the next run that takes files in', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    ports.objects.put(at(KEYS.pendingBatch('0123456789abcdef')), '{}');
    await succeed(ports, 'run-2', { force: true });
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'new');
    await plan(ports, 'run-3');
    expect(planOf(ports, 'run-3').abandonedBatchIds).toEqual(['0123456789abcdef']);
  });
});

describe('a start over budget', () => {
  it('is refused with both sums before anything is marked as begun', async () => {
    const ports = new MemoryPorts();
    ports.objects.put(`${EVENTS}/huge.json`, '', 60e12);
    const start = plan(ports, 'run-1');
    await expect(start).rejects.toMatchObject({ name: 'OverBudget' });
    await expect(start).rejects.toThrow(/estimated at [\d.]+ USD .*budget of 50 USD/);
    expect(ports.objects.uris()).toEqual([at(KEYS.lease), `${EVENTS}/huge.json`]);
    expect(leaseOf(ports)).toBeNull();
  });
});

describe('resuming', () => {
  it('takes the same batch and results, but scores anew and keeps its own errors', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1', { horizonDays: 7 });
    ingest(ports, 'run-1');
    await failAfter(ports, 'run-1');
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
    expect(after.outputs.results['score-users']).toBe(at(KEYS.result('run-2', 'score-users')));
    expect(after.outputs.errors['train-models']).toBe(at(KEYS.error('run-2', 'train-models')));
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

  it('is refused when another run has changed the lake since; that one may be resumed', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await failAfter(ports, 'run-1');
    await plan(ports, 'run-2', { resume: 'run-1' });
    await failAfter(ports, 'run-2');
    await expect(plan(ports, 'run-3', { resume: 'run-1' })).rejects.toThrow(
      /run-2 has changed the lake since/,
    );
    expect(await plan(ports, 'run-4', { resume: 'run-2' })).toMatchObject({ decision: 'run' });
  });

  it('is not hindered by a start that came to nothing', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await failAfter(ports, 'run-1');
    await expect(plan(ports, 'run-2', { seed: -1 })).rejects.toThrow();
    await failAfter(ports, 'run-2');
    expect(await plan(ports, 'run-3', { resume: 'run-1' })).toMatchObject({ decision: 'run' });
  });
});

describe('the lease', () => {
  it('goes to exactly one of fifty starts at once; the others name it', async () => {
    const ports = portsWithLog();
    const runIds = Array.from({ length: 50 }, (_, index) => `run-${index}`);
    const decisions = await Promise.all(runIds.map((runId) => plan(ports, runId)));
    const running = decisions.filter(({ decision }) => decision === 'run');
    const refused = decisions.filter((decision) => decision.decision === 'refused');
    expect([running.length, refused.length]).toEqual([1, 49]);
    expect(leaseOf(ports).runId).toBe(running[0]?.runId);
    for (const { reason } of refused) expect(reason).toContain(`run ${running[0]?.runId} lives`);
  });

  it('goes to exactly one of fifty starts when a dead run still holds it', async () => {
    const ports = portsWithLog();
    await plan(ports, 'dead');
    ports.executions.set('dead', 'TIMED_OUT');
    const runIds = Array.from({ length: 50 }, (_, index) => `run-${index}`);
    const decisions = await Promise.all(runIds.map((runId) => plan(ports, runId)));
    expect(decisions.filter(({ decision }) => decision === 'run')).toHaveLength(1);
  });

  it('is not taken from a run whose cluster still lives', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    ports.clusters.start('run-1', arnOf('run-1'));
    ports.executions.set('run-1', 'ABORTED');
    expect(await plan(ports, 'run-2')).toMatchObject({
      decision: 'refused',
      reason: expect.stringMatching(/cluster j-1 still lives/),
    });
  });

  it('is not taken from a run that the listing does not know yet', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    ports.executions.all.clear();
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'refused' });
    ports.clock.advance(120_000);
    ports.executions.all.delete(arnOf('run-1'));
    expect(await plan(ports, 'run-3')).toMatchObject({ decision: 'run' });
  });

  it('leaves no refusal behind when a start is tried again and gets it', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'refused' });
    expect(ports.objects.text(at(KEYS.refused('run-2')))).toContain('run-1');
    ports.executions.set('run-1', 'FAILED');
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
    expect(ports.objects.text(at(KEYS.refused('run-2')))).toBeUndefined();
  });
});

describe('on one machine', () => {
  it('costs nothing and has one boosting worker', async () => {
    const ports = portsWithLog();
    const executionArn = ports.executions.set('run-1', 'RUNNING');
    const input = { runId: 'run-1', executionArn, startedAt: '2018-12-04T06:00:00Z', request: {} };
    await planRun(input, ports, { ...CONTEXT, platform: 'local' });
    expect(planOf(ports, 'run-1')).toMatchObject({
      cluster: { estimatedUsd: 0 },
      training: { boostingWorkers: 1 },
    });
  });

  it('events may lie anywhere', async () => {
    const ports = new MemoryPorts();
    ports.objects.put('file:///elsewhere/2018-10-01.json', 'x');
    const executionArn = ports.executions.set('run-1', 'RUNNING');
    const request = { events: 'file:///elsewhere' };
    const input = { runId: 'run-1', executionArn, startedAt: '2018-12-04T06:00:00Z', request };
    expect(await planRun(input, ports, { ...CONTEXT, platform: 'local' })).toMatchObject({
      decision: 'run',
    });
  });
});
