/** Which event files a start finds: replaced, gone, taken out, too many, too large, and in a ledger of many batches. */
import { describe, expect, it } from 'vitest';
import { FILE_INDEX, LEDGER } from '../../../domain/lake-objects.ts';
import { listingWarnings } from '../../../domain/listing.ts';
import { MAX_BATCH_FILES } from '../../../domain/run.ts';
import { worldOf } from '../../../lambda/run/world.ts';
import { planRun } from '../../../lambda/start-training/plan-run.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { leaseOf, portsWithLog, succeed } from '../../support/planned-runs.ts';
import {
  at,
  DEPLOYMENT,
  EVENTS,
  plan,
  planOf,
  runSteps,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

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
