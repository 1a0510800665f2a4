/** Which files the rows of a run came in, as the report shows it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { LEDGER } from '../../../domain/lake-objects.ts';
import type { RunDetail } from '../../../domain/records.ts';
import { type FilesOfBatch, readFiles } from '../../../lambda/render-report/files-of-batch.ts';
import { filesSection } from '../../../lambda/render-report/sections/files.ts';
import type { MemoryPorts } from '../../support/memory-ports.ts';
import { at, worldOn } from '../../support/run-fixture.ts';
import { storedRun } from '../../support/stored-run.ts';

let ports: MemoryPorts;
let detail: RunDetail;

beforeAll(async () => {
  ({ ports, detail } = await storedRun());
});

const row = (name: string, refused: number, duplicates = 0, days: object = {}) => ({
  ...{ uri: `s3://raw/${name}`, etag: 'e', bytes: 1, rows_read: 1_000 },
  ...{ rows_quarantined: refused, rows_duplicate: duplicates, days: JSON.stringify(days) },
});

/** What is read of a ledger with these rows. */
async function filesOf(
  rows: readonly object[],
  observedBefore: string | null = null,
): Promise<{ readonly files: FilesOfBatch; readonly text: string }> {
  const { plan: planned } = detail;
  const ledger = LEDGER.of(planned.batch.batchId);
  ports.objects.put(at(ledger.key), rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const of = { ...detail, plan: { ...planned, observedBefore } };
  const files = await readFiles(worldOn(ports).lake, of.plan);
  const markup = filesSection(of, files)?.markup ?? '';
  return { files, text: markup.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ') };
}

describe('the files of a run', () => {
  it('are those with refused rows first, then those with duplicates, and no more than a dozen', async () => {
    const many = Array.from({ length: 20 }, (_, index) => row(`many-${index}.json`, 0, 1));
    const { files, text } = await filesOf([
      row('clean.json', 0),
      ...many,
      row('twice.json', 0, 500),
      row('some.json', 4),
      row('<b>worst.json', 370, 2),
    ]);
    expect(files.worst.map(({ uri }) => uri).slice(0, 4)).toEqual([
      's3://raw/<b>worst.json',
      's3://raw/some.json',
      's3://raw/twice.json',
      's3://raw/many-0.json',
    ]);
    expect(files.worst).toHaveLength(12);
    expect(text).toContain('1 file of this run: 2 have refused rows, 22 have duplicates.');
    expect(text).toContain('s3://raw/&lt;b&gt;worst.json 1,000 370 37% 2 ');
    expect(text).not.toContain('clean.json');
  });

  it('say how many events are of days that the run before had seen, and of which', async () => {
    const { text } = await filesOf(
      [
        row('new.json', 0, 0, { '2018-12-03': [10, 'hash'], '2018-12-04': [5, 'hash'] }),
        row('late.json', 0, 0, {
          '2018-11-20': [2, 'hash'],
          '2018-12-02': [3, 'hash'],
          '2018-12-03': [4, 'h'],
        }),
        row('later.json', 0, 0, { '2018-11-25': [1, 'hash'] }),
      ],
      '2018-12-03',
    );
    expect(text).toContain(
      '6 events in 2 files came late, or again in a corrected file: of days between 20 November and 2 December 2018, before 3 December 2018',
    );
    expect(text).toContain('64 days were computed again.');
  });

  it('call nothing late in a run without new files, which is about the batch before', () => {
    const late = { events: 9, files: 1, firstDay: '2018-10-01', lastDay: '2018-10-02' };
    const plan = { ...detail.plan, observedBefore: '2018-12-03' };
    const again = { ...detail, plan, ingest: { ...detail.ingest, changes: null } };
    const files = { worst: [], withRefused: 0, withDuplicates: 0, late };
    expect(filesSection(again, files)?.markup).toContain('They were in the lake already.');
    expect(filesSection(again, files)?.markup).not.toContain('late');
    expect(filesSection({ ...again, ingest: detail.ingest }, files)?.markup).toContain('came late');
  });

  it('say that none came late, and nothing where a run had no files', async () => {
    const own = row('new.json', 0, 0, { '2018-12-03': [10, 'hash'] });
    expect((await filesOf([own], '2018-12-03')).text).toContain('none came late');
    expect((await filesOf([own], null)).text).toContain('It is the first run on this log');
    const { files } = await filesOf([]);
    const idle = { ...detail, plan: { ...detail.plan, batch: { ...detail.plan.batch, files: [] } } };
    expect(filesSection(idle, files)).toBeUndefined();
  });

  it('say which were not read, and why', () => {
    const passedOver = [{ reason: 'marker' as const, count: 1, first: ['s3://raw/_SUCCESS'] }];
    const of = { ...detail, ingest: { ...detail.ingest, passedOver } };
    const files = { worst: [], withRefused: 0, withDuplicates: 0, late: undefined };
    expect(filesSection(of, files)?.markup).toMatch(/<li>1 file was not read \(.*s3:\/\/raw\/_SUCCESS/);
  });
});
