/** Starts that PlanRun refuses, before anything is marked as begun: each error names what is wrong and what to change. */
import { describe, expect, it } from 'vitest';
import { LAKE_FORMAT } from '../../../domain/lake-format.ts';
import { FORMAT, LEASE, LEDGER } from '../../../domain/lake-objects.ts';
import { UnlistableError } from '../../../lambda/ports/objects.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { leaseOf, portsWithLog } from '../../support/planned-runs.ts';
import { at, EVENTS, LAKE, plan, planOf } from '../../support/run-fixture.ts';

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
    [{ resume: 'run-0', seed: 1 }, /"seed": a resumed run takes the plan as it was/],
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
