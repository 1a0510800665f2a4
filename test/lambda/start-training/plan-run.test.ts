import { describe, expect, it } from 'vitest';
import { LAKE_FORMAT } from '../../../domain/lake-format.ts';
import {
  FILE_INDEX,
  FORMAT,
  LEASE,
  LEDGER,
  PENDING_BATCH,
  PLAN,
  REFUSED,
  STEP_ERROR,
  STEP_RESULT,
} from '../../../domain/lake-objects.ts';
import { listingWarnings } from '../../../domain/listing.ts';
import { MAX_BATCH_FILES, runSettingsSchema } from '../../../domain/run.ts';
import { closeRun } from '../../../lambda/close-run/close-run.ts';
import { UnlistableError } from '../../../lambda/ports/objects.ts';
import { worldOf } from '../../../lambda/run/world.ts';
import { planRun } from '../../../lambda/start-training/plan-run.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { gate } from '../../support/fault-ports.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  DEPLOYMENT,
  EVENTS,
  ingest,
  LAKE,
  NEXT_DEPLOYMENT,
  plan,
  planOf,
  runSteps,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

function portsWithLog(files: readonly string[] = ['2018-10-01.json', '2018-10-02.jsonl.gz']): MemoryPorts {
  const ports = new MemoryPorts();
  for (const file of files) ports.objects.put(`${EVENTS}/${file}`, file);
  return ports;
}

async function succeed(ports: MemoryPorts, runId: string, request: unknown = {}): Promise<void> {
  expect(await plan(ports, runId, request)).toMatchObject({ decision: 'run' });
  runSteps(ports, runId);
  await storeMetrics(storeMetricsInput(runId), worldOn(ports));
  ports.executions.set(runId, 'SUCCEEDED');
  ports.clock.advance(3_600_000);
}

/** Lets the run fail and be closed. */
async function failAfter(ports: MemoryPorts, runId: string): Promise<void> {
  const executionArn = ports.executions.set(runId, 'FAILED');
  const startedAt = ports.clock.now().toISOString();
  await closeRun({ runId, executionArn, startedAt, failure: { Error: 'States.Timeout' } }, worldOn(ports));
  ports.clock.advance(3_600_000);
}

const leaseOf = (ports: MemoryPorts) =>
  JSON.parse(ports.objects.text(at(LEASE.key)) ?? '{"holder":null}').holder;

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

describe('an invalid request', () => {
  it.each([
    [{ horizon: 7 }, /"horizon": no such field; allowed are events, observationEnd/],
    [{ horizonDays: 0 }, /"horizonDays" is 0: .*>=1/],
    [{ horizonDays: '14' }, /"horizonDays" is "14": .*expected number/],
    [{ observationEnd: '2018-02-31' }, /"observationEnd" is "2018-02-31": there is no such day/],
    [{ observationEnd: '2031-01-01' }, /"observationEnd".*at most 2018-12-05/],
    [{ maxQuarantineShare: 1.5 }, /"maxQuarantineShare" is 1.5/],
    [{ events: 's3://raw/other/' }, /"events" is "s3:\/\/raw\/other\/": must be below s3:\/\/raw\/events,/],
    [{ events: 's3://raw/events-of-others/*.json' }, /"events" is .*: must be below s3:\/\/raw\/events,/],
    [{ events: 's3://raw' }, /"events" is "s3:\/\/raw": must be below/],
    [{ events: 's3://elsewhere/events/' }, /"events" is .*: must be below/],
    [{ resume: 'run-0', seed: 1 }, /"seed": a run that resumes or verifies another takes its plan as it was/],
    [{ resume: '../../x' }, /"resume" is .*not a run's id/],
    ['all', /the request: .*\{\} asks for the defaults/],
  ])('%j is refused, naming the field', async (request, message) => {
    const ports = portsWithLog();
    const start = plan(ports, 'run-1', request);
    await expect(start).rejects.toMatchObject({ name: 'InvalidRequest' });
    await expect(start).rejects.toThrow(message);
    expect(leaseOf(ports)).toBeNull();
  });

  it.each(['', '/', '/deep', '/deep/*.json', '/2018-10-01.json'])(
    'does not include a location in the log: %j below its root',
    async (place) => {
      const ports = portsWithLog(['2018-10-01.json', 'deep/2018-10-02.json']);
      expect(await plan(ports, 'run-1', { events: `${EVENTS}${place}` })).toMatchObject({ decision: 'run' });
    },
  );

  it('with an execution name that is not allowed in keys or SQL is refused', async () => {
    await expect(plan(portsWithLog(), "x' OR 1=1 --")).rejects.toMatchObject({ name: 'InvalidRequest' });
  });
});

describe('a location without event files', () => {
  it('is named in the error with the extensions that are read, and the lease is released', async () => {
    const ports = new MemoryPorts();
    const start = plan(ports, 'run-1', { events: `${EVENTS}/nowhere` });
    await expect(start).rejects.toMatchObject({ name: 'NoEventFiles' });
    await expect(start).rejects.toThrow(
      /s3:\/\/raw\/events\/nowhere.*\.json, \.jsonl, \.ndjson, \.log \(plain, \.gz or \.bz2\)/,
    );
    expect(leaseOf(ports)).toBeNull();
  });

  it.each(['_export.json', '.export.json.gz', 'deep/_export.jsonl'])(
    'includes a file that Spark skips, even if it is named: %s',
    async (file) => {
      const ports = portsWithLog([file, '2018-10-01.json']);
      const start = plan(ports, 'run-1', { events: `${EVENTS}/${file}` });
      await expect(start).rejects.toMatchObject({ name: 'NoEventFiles' });
      await expect(start).rejects.toThrow(/Spark passes over files whose names begin with "_" .*Rename it/);
      expect(leaseOf(ports)).toBeNull();
    },
  );

  it('includes a glob that matches only files that Spark skips', async () => {
    const start = plan(portsWithLog(['_export.json']), 'run-1', { events: `${EVENTS}/_*.json` });
    await expect(start).rejects.toMatchObject({ name: 'NoEventFiles' });
    await expect(start).rejects.toThrow(/names that begin with "_" or "\." are passed over/);
  });

  it('does not include a folder that was itself named in the request, even if Spark would skip its name', async () => {
    const ports = portsWithLog(['_export/2018-10-01.json', '_export/_draft.json', '2018-10-02.json']);
    await plan(ports, 'run-1', { events: `${EVENTS}/_export/` });
    expect(planOf(ports, 'run-1').batch.files.map(({ uri }) => uri)).toEqual([
      `${EVENTS}/_export/2018-10-01.json`,
    ]);
  });
});

describe('an event log that cannot be listed', () => {
  const unlistable = (reason: UnlistableError['reason']): MemoryPorts => {
    const ports = portsWithLog();
    ports.before = (call, location) => {
      if (call === 'objects.pages' && !location.startsWith(LAKE)) {
        throw new UnlistableError(location, reason, new Error('as S3 says'));
      }
    };
    return ports;
  };

  it.each([
    [
      'no such bucket',
      /s3:\/\/raw\/events\S* cannot be listed.*as S3 says\nCreate the bucket, or correct churn:rawBucket/,
    ],
    [
      'access denied',
      /s3:\/\/raw\/events\S* cannot be listed.*as S3 says\nAllow .* or correct churn:rawBucket/,
    ],
    [
      'bucket in another Region',
      /s3:\/\/raw\/events\S* cannot be listed.*as S3 says\n.*buckets of its own Region only: copy the log/,
    ],
  ] as const)(
    'is a configuration error, even if a request names a location in it: %s',
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
    await failAfter(ports, 'run-1');
    ports.clock.advance(2 * 86_400_000);
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
    expect(planOf(ports, 'run-2').batch).toEqual(planOf(ports, 'run-1').batch);
    expect(planOf(ports, 'run-2').abandonedBatchIds).toEqual([]);
  });

  it('names batches that were begun and never finished, including its own', async () => {
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
    await failAfter(ports, 'run-2');
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

describe('the format of the lake', () => {
  it.each([undefined, 1, LAKE_FORMAT])('%s is used', async (format) => {
    const ports = portsWithLog();
    if (format !== undefined) ports.objects.put(at(FORMAT.key), JSON.stringify({ format, release: 'a' }));
    expect(await plan(ports, 'run-1')).toMatchObject({ decision: 'run' });
  });

  it('of a later release is refused with what to do, and the lease is released', async () => {
    const ports = portsWithLog();
    ports.objects.put(at(FORMAT.key), JSON.stringify({ format: LAKE_FORMAT + 1, release: 'abc', more: 1 }));
    const start = plan(ports, 'run-1');
    await expect(start).rejects.toMatchObject({ name: 'InvalidConfiguration' });
    await expect(start).rejects.toThrow(
      /format 3 since release abc.*up to 2: deploy .* that release or a later one/,
    );
    expect(leaseOf(ports)).toBeNull();
  });
});

describe('a file', () => {
  const first = `${EVENTS}/2018-10-01.json`;
  const second = `${EVENTS}/2018-10-02.jsonl.gz`;

  it('that was replaced names the version that leaves, and one that goes back to a former version is new', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    const batches = [planOf(ports, 'run-1').batch.batchId];
    for (const [run, text] of [
      ['run-2', 'second version'],
      ['run-3', '2018-10-01.json'],
    ] as const) {
      ports.objects.put(first, text);
      await succeed(ports, run);
      const { batch } = planOf(ports, run);
      expect(batch.files.map(({ uri }) => uri)).toEqual([first]);
      expect(batch.replaced).toEqual([{ uri: first, batchId: batches.at(-1) }]);
      batches.push(batch.batchId);
    }
    expect(new Set(batches).size).toBe(3);
    expect(await plan(ports, 'run-4')).toMatchObject({ decision: 'nothing-to-do' });
  });

  it('that is gone is named once and counted afterwards, whether or not there is anything to do', async () => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    await ports.objects.remove(first);
    expect(await plan(ports, 'run-2')).toMatchObject({
      decision: 'nothing-to-do',
      reason: expect.stringContaining(
        `1 file is gone from the log, and the lake keeps what it holds of them (takeOut removes it); not known before: ${first}`,
      ),
    });
    await ports.objects.remove(second);
    ports.objects.put(`${EVENTS}/2018-10-03.json`, 'new');
    await succeed(ports, 'run-3');
    expect(planOf(ports, 'run-3').listing?.gone).toEqual({ count: 2, new: { count: 1, first: [second] } });
    const [warning] = listingWarnings((await planOf(ports, 'run-3')).listing);
    expect(warning).toMatch(/^2 files are gone .*not known before: \S+2018-10-02.jsonl.gz$/);
    const { reason } = (await plan(ports, 'run-4')) as { reason: string };
    expect(reason).toContain('2 files are gone');
    expect(reason).not.toContain('not known before');
  });

  it('that is not at the location of the run is not gone', async () => {
    const ports = portsWithLog(['a/1.json', 'ab/1.json']);
    await succeed(ports, 'run-1');
    expect(await plan(ports, 'run-2', { events: `${EVENTS}/a`, force: true })).toMatchObject({
      decision: 'run',
    });
    expect(planOf(ports, 'run-2').listing?.gone?.count).toBe(0);
  });

  it('that is gone is taken out by its address or by a glob, and is new when it is delivered again', async () => {
    for (const takeOut of [first, [first], `${EVENTS}/2018-10-0[1].json`]) {
      const ports = portsWithLog();
      await succeed(ports, 'run-1');
      await ports.objects.remove(first);
      expect(await plan(ports, 'run-2', { takeOut })).toMatchObject({ decision: 'run' });
      const { batch, listing } = planOf(ports, 'run-2');
      expect(batch).toMatchObject({
        files: [],
        takenOut: [{ uri: first, batchId: planOf(ports, 'run-1').batch.batchId }],
      });
      expect(listing?.gone?.count).toBe(0);
      runSteps(ports, 'run-2');
      await storeMetrics(storeMetricsInput('run-2'), worldOn(ports));
      ports.clock.advance(3_600_000);
      expect(await plan(ports, 'run-3')).toMatchObject({ decision: 'nothing-to-do' });
      ports.objects.put(first, '2018-10-01.json');
      await plan(ports, 'run-4');
      expect(planOf(ports, 'run-4').batch).toMatchObject({ files: [{ uri: first }], replaced: [] });
    }
  });

  it.each([
    ['is still in the log', first, /"takeOut": s3:\S+01.json is still in the log.*remove it there first/],
    [
      'the lake does not hold',
      `${EVENTS}/x*`,
      /"takeOut": the lake holds nothing of s3:\S+x\*; addresses are as in ingest_files.uri/,
    ],
  ])('that %s is not taken out', async (_, takeOut, words) => {
    const ports = portsWithLog();
    await succeed(ports, 'run-1');
    const start = plan(ports, 'run-2', { takeOut });
    await expect(start).rejects.toMatchObject({ name: 'InvalidRequest' });
    await expect(start).rejects.toThrow(words);
    expect(leaseOf(ports)).toBeNull();
  });
});

describe('a log with more new files than a batch takes', () => {
  const name = (file: number): string => `${String(file).padStart(6, '0')}.json`;

  it('is ingested run by run, and each run names what it leaves', async () => {
    const ports = portsWithLog(Array.from({ length: MAX_BATCH_FILES + 12 }, (_, file) => name(file)));
    await succeed(ports, 'run-1');
    const { batch, listing } = planOf(ports, 'run-1');
    expect(batch.files).toHaveLength(50_000);
    expect(batch.files.at(-1)?.uri).toBe(`${EVENTS}/${name(49_999)}`);
    expect(listing?.left).toEqual({
      count: 12,
      first: Array.from({ length: 10 }, (_, file) => `${EVENTS}/${name(50_000 + file)}`),
    });
    await succeed(ports, 'run-2');
    expect(planOf(ports, 'run-2').batch.files.map(({ uri }) => uri)).toEqual(
      Array.from({ length: 12 }, (_, file) => `${EVENTS}/${name(50_000 + file)}`),
    );
    expect(planOf(ports, 'run-2').listing).toEqual({
      since: null,
      left: { count: 0, first: [] },
      passedOver: [],
      oneTask: { count: 0, first: [] },
      gone: { count: 0, new: { count: 0, first: [] } },
    });
    expect(await plan(ports, 'run-3')).toMatchObject({ decision: 'nothing-to-do' });
    // A batch of this size makes the index worth its while.
    expect(ports.objects.text(at(FILE_INDEX.key))).toBeDefined();
  }, 60_000);
});

describe('large files', () => {
  it('are read: those that one task must read with a warning; one that is to be unpacked in memory is named', async () => {
    const ports = new MemoryPorts();
    ports.objects.put(`${EVENTS}/plain.json`, '', 12e9);
    ports.objects.put(`${EVENTS}/packed.json.gz`, '', 1.2e9);
    ports.objects.put(`${EVENTS}/small.json.GZ`, '', 30e6);
    ports.objects.put(`${EVENTS}/large.json.GZ`, '', 1.2e9);
    expect(await plan(ports, 'run-1')).toMatchObject({ decision: 'run' });
    const { batch, listing } = planOf(ports, 'run-1');
    expect(batch.files.map(({ uri }) => uri)).toEqual(
      ['packed.json.gz', 'plain.json', 'small.json.GZ'].map((name) => `${EVENTS}/${name}`),
    );
    expect(listing?.oneTask).toEqual({ count: 1, first: [`${EVENTS}/packed.json.gz`] });
    expect(listing?.passedOver).toEqual([
      { reason: 'capital_compression', count: 1, first: [`${EVENTS}/large.json.GZ`] },
    ]);
  });
});

describe('a log of which only the last days are listed', () => {
  const settings = { ...DEPLOYMENT.settings, listSince: { folder: 'dt=YYYY-MM-DD', days: 30 } };
  const days = ['2018-11-03', '2018-11-04', '2018-12-03'];
  const start = (ports: MemoryPorts, runId: string, request: unknown = {}) => {
    const executionArn = ports.executions.set(runId, 'RUNNING');
    const input = { runId, executionArn, startedAt: '2018-12-04T06:00:00Z', request };
    return planRun(input, worldOf(ports, { ...DEPLOYMENT, settings }));
  };

  it('says so in the plan, and passes over older files', async () => {
    const ports = portsWithLog(days.map((day) => `dt=${day}/a.json`));
    await start(ports, 'run-1');
    const { batch, listing } = planOf(ports, 'run-1');
    expect(batch.files.map(({ uri }) => uri)).toEqual([
      `${EVENTS}/dt=2018-11-04/a.json`,
      `${EVENTS}/dt=2018-12-03/a.json`,
    ]);
    expect(listing?.since).toBe(`${EVENTS}/dt=2018-11-04`);
    expect(listingWarnings(listing)).toEqual([
      expect.stringMatching(
        /after s3:\/\/raw\/events\/dt=2018-11-04 were listed.*older files are not looked for/,
      ),
    ]);
  });

  it('says so when there is nothing to do or nothing at all', async () => {
    const ports = portsWithLog(['dt=2018-12-03/a.json']);
    await start(ports, 'run-1');
    runSteps(ports, 'run-1');
    await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
    ports.executions.set('run-1', 'SUCCEEDED');
    expect(await start(ports, 'run-2')).toMatchObject({
      decision: 'nothing-to-do',
      reason: expect.stringMatching(
        /the one event file is in the lake already.*older files are not looked for/,
      ),
    });
    const empty = portsWithLog(['dt=2018-11-03/a.json']);
    await expect(start(empty, 'run-1')).rejects.toThrow(
      /no event files at \S+ after \S+dt=2018-11-04 \(setting listSince\)/,
    );
  });

  it('is listed whole where a request names a location', async () => {
    const ports = portsWithLog(days.map((day) => `dt=${day}/a.json`));
    await start(ports, 'run-1', { events: EVENTS });
    expect(planOf(ports, 'run-1').batch.files).toHaveLength(3);
    expect(planOf(ports, 'run-1').listing?.since).toBeNull();
  });
});

describe('a ledger of many batches', () => {
  /** Ingests a file a run. */
  const deliver = async (ports: MemoryPorts, runs: number): Promise<void> => {
    for (let run = 0; run < runs; run += 1) {
      ports.objects.put(`${EVENTS}/${String(run).padStart(4, '0')}.json`, `events ${run}`);
      await succeed(ports, `run-${run}`);
    }
  };

  it('is read once for all: a start reads the index, and from the ledger what came since', async () => {
    const ports = portsWithLog([]);
    await deliver(ports, 70);
    const ledgerReads: string[] = [];
    ports.before = (call, uri) => {
      if (call === 'objects.lines' && uri.startsWith(at(LEDGER.folder))) ledgerReads.push(uri);
    };
    expect(await plan(ports, 'another')).toMatchObject({
      decision: 'nothing-to-do',
      reason: expect.stringMatching(/all 70 event files/),
    });
    expect(ledgerReads).toHaveLength(6);
  });

  it('finds a file that was replaced or went back to a former version as it did without the index', async () => {
    const ports = portsWithLog([]);
    await deliver(ports, 70);
    ports.objects.put(`${EVENTS}/0003.json`, 'replaced');
    await plan(ports, 'run-70');
    expect(planOf(ports, 'run-70').batch.files.map(({ uri }) => uri)).toEqual([`${EVENTS}/0003.json`]);
  });
});

describe('a start with an estimate over the budget', () => {
  /** A ledger of files that are large by their bytes, and hold so many rows in all. */
  const history = (ports: MemoryPorts, rows: number): void => {
    const days = Array.from(
      { length: 240 },
      (_, day) => `s3://raw/events/2018/${String(day).padStart(3, '0')}.json.gz`,
    );
    const lines = days.map((uri) => {
      ports.objects.put(uri, uri, 24e9);
      const etag = ports.objects.etag(uri);
      return JSON.stringify({ uri, etag, bytes: 24e9, batch_id: 'b', rows_accepted: rows / days.length });
    });
    ports.objects.put(at(LEDGER.of('00000000000000aa').key), `${lines.join('\n')}\n`);
    ports.objects.put(`${EVENTS}/2018/300.json.gz`, 'new', 1e6);
  };

  it('is not refused for a history of large gzip files with few rows', async () => {
    const ports = portsWithLog([]);
    history(ports, 240 * 12e6);
    expect(await plan(ports, 'run-1')).toMatchObject({ decision: 'run' });
    expect(planOf(ports, 'run-1').batch.files).toHaveLength(1);
    expect(planOf(ports, 'run-1').cluster.estimatedUsd).toBeLessThan(10);
  });

  it('says that the history alone is over the budget, and how much to allow', async () => {
    const ports = portsWithLog([]);
    history(ports, 240 * 800e6);
    const start = plan(ports, 'run-1');
    await expect(start).rejects.toMatchObject({ name: 'OverBudget' });
    await expect(start).rejects.toThrow(
      /0\.0 GB of new events in 1 files; without them, [\d.]+ USD for a history of 192000\.0 million rows/,
    );
    await expect(start).rejects.toThrow(
      /delivering less does not help: raise budgetUsd .* to at least \d+ and deploy/,
    );
  });

  it('says that the new files make the difference where they do', async () => {
    const ports = new MemoryPorts();
    ports.objects.put(`${EVENTS}/huge.json`, '', 60e12);
    await expect(plan(ports, 'run-1')).rejects.toThrow(
      /new files make the difference.*ingest them in several runs/,
    );
  });

  it('fails, naming both amounts, before anything is marked as begun', async () => {
    const ports = new MemoryPorts();
    ports.objects.put(`${EVENTS}/huge.json`, '', 60e12);
    const start = plan(ports, 'run-1');
    await expect(start).rejects.toMatchObject({ name: 'OverBudget' });
    await expect(start).rejects.toThrow(/estimated at [\d.]+ USD .*budget of 50 USD/);
    expect(ports.objects.uris()).toEqual([at(LEASE.key), `${EVENTS}/huge.json`]);
    expect(leaseOf(ports)).toBeNull();
  });
});

describe('resuming a run', () => {
  it('uses the same batch and results, but scores again and keeps its own errors', async () => {
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
    await failAfter(ports, 'run-1');
    await plan(ports, 'run-2', { resume: 'run-1' });
    await failAfter(ports, 'run-2');
    await expect(plan(ports, 'run-3', { resume: 'run-1' })).rejects.toThrow(
      /run-2 has changed the lake since/,
    );
    expect(await plan(ports, 'run-4', { resume: 'run-2' })).toMatchObject({ decision: 'run' });
  });

  it('is refused across releases, in one sentence: the steps of one may not understand what those of another wrote', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await failAfter(ports, 'run-1');
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
    await failAfter(ports, 'run-1');
    const imported = { ...DEPLOYMENT, database: 'churn_test_9f9f9f9f' };
    await expect(plan(ports, 'run-2', { resume: 'run-1' }, imported)).rejects.toThrow(
      'Run "run-1" cannot be resumed: it was planned for database churn_test_0a1b2c3d, and this deployment has churn_test_9f9f9f9f; start a new run.',
    );
    expect(leaseOf(ports)).toBeNull();
  });

  it('is refused for a plan of before there were releases, which can still be read', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await failAfter(ports, 'run-1');
    const { release, ...old } = planOf(ports, 'run-1');
    ports.objects.put(at(PLAN.of('run-1').key), JSON.stringify(old));
    await expect(plan(ports, 'run-2', { resume: 'run-1' })).rejects.toThrow(
      `it was planned by release none, and this is release ${release}; start a new run.`,
    );
  });

  it('is not prevented by a start that failed before it planned anything', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    await failAfter(ports, 'run-1');
    await expect(plan(ports, 'run-2', { seed: -1 })).rejects.toThrow();
    await failAfter(ports, 'run-2');
    expect(await plan(ports, 'run-3', { resume: 'run-1' })).toMatchObject({ decision: 'run' });
  });
});

describe('the lease', () => {
  it('goes to exactly one of fifty simultaneous starts; the others name it', async () => {
    const ports = portsWithLog();
    const runIds = Array.from({ length: 50 }, (_, index) => `run-${index}`);
    const decisions = await Promise.all(runIds.map((runId) => plan(ports, runId)));
    const running = decisions.filter(({ decision }) => decision === 'run');
    const refused = decisions.filter((decision) => decision.decision === 'refused');
    expect([running.length, refused.length]).toEqual([1, 49]);
    expect(leaseOf(ports).runId).toBe(running[0]?.runId);
    for (const { reason } of refused) expect(reason).toContain(`run ${running[0]?.runId} lives`);
  });

  it('goes to exactly one of fifty simultaneous starts when a dead run still holds it', async () => {
    const ports = portsWithLog();
    await plan(ports, 'dead');
    ports.executions.set('dead', 'TIMED_OUT');
    const runIds = Array.from({ length: 50 }, (_, index) => `run-${index}`);
    const decisions = await Promise.all(runIds.map((runId) => plan(ports, runId)));
    expect(decisions.filter(({ decision }) => decision === 'run')).toHaveLength(1);
  });

  it('is not taken from a run whose cluster is still running', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    ports.clusters.start('run-1', arnOf('run-1'));
    ports.executions.set('run-1', 'ABORTED');
    expect(await plan(ports, 'run-2')).toMatchObject({
      decision: 'refused',
      reason: expect.stringMatching(/cluster j-1 still lives/),
    });
  });

  it('is not taken from a run that Step Functions does not list yet', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    ports.executions.all.clear();
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'refused' });
    ports.clock.advance(120_000);
    ports.executions.all.delete(arnOf('run-1'));
    expect(await plan(ports, 'run-3')).toMatchObject({ decision: 'run' });
  });

  it('leaves no refusal marker when a refused start is retried and gets it', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'refused' });
    expect(ports.objects.text(at(REFUSED.of('run-2').key))).toContain('run-1');
    ports.executions.set('run-1', 'FAILED');
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
    expect(ports.objects.text(at(REFUSED.of('run-2').key))).toBeUndefined();
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
