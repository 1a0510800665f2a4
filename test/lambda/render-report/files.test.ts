/** Which files the rows of a run came in, as the report shows it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { LEDGER } from '../../../domain/lake-objects.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { IngestResult } from '../../../domain/results.ts';
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
    expect(text).toContain(
      '1 file of this run: 2 have refused rows, none has adapted rows, 22 have duplicates.',
    );
    expect(text).toContain('s3://raw/&lt;b&gt;worst.json 1,000 370 37% 0 2 ');
    expect(text).not.toContain('clean.json');
  });

  it('say how their rows were adapted, and come before those with duplicates', async () => {
    const adapted = { rows_adapted: 9, adapted: JSON.stringify({ whole_fraction: 9, other_case: 4 }) };
    const { files, text } = await filesOf([
      row('twice.json', 0, 500),
      { ...row('other.json', 0), ...adapted },
    ]);
    expect(files.worst.map(({ uri }) => uri)).toEqual(['s3://raw/other.json', 's3://raw/twice.json']);
    expect(text).toContain('none has refused rows, 1 has adapted rows, 1 has duplicates');
    expect(text).toMatch(
      /other\.json 1,000 0 0% 9 whole numbers written with [^:]*: 9 column names in [^:]*: 4 0 /,
    );
  });

  it('say of each file for which reasons rows were refused, the most frequent first, with an example', () => {
    const refusedFiles: IngestResult['refusedFiles'] = [
      {
        file: 's3://raw/<b>bad.json',
        rows: 1_207,
        reasons: { unknown_page: 7, forgotten_user: 1_200 },
        examples: [{ reason: 'unknown_page', line: '{"kept":{"level":"<script>"}}' }],
      },
      { file: 's3://raw/worse.json', rows: 3, reasons: { malformed_json: 3 }, examples: [] },
    ];
    const of = { ...detail, ingest: { ...detail.ingest, refusedFiles } };
    const files = { worst: [], withRefused: 2, withAdapted: 0, withDuplicates: 0, late: undefined };
    const markup = filesSection(of, files)?.markup ?? '';
    const rows = markup
      .split('<tr>')
      .slice(-3)
      .map((one) =>
        one
          .replaceAll(/<[^>]*>/g, ' ')
          .replaceAll(/\s+/g, ' ')
          .trim(),
      );
    expect(rows).toEqual([
      's3://raw/&lt;b&gt;bad.json forgotten_user 1,200 nothing is kept',
      's3://raw/&lt;b&gt;bad.json unknown_page 7 Show {&quot;kept&quot;:{&quot;level&quot;:&quot;&lt;script&gt;&quot;}}',
      's3://raw/worse.json malformed_json 3 nothing is kept',
    ]);
    expect(filesSection(detail, files)?.markup).not.toContain('with what is kept of one of them');
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
    const files = { worst: [], withRefused: 0, withAdapted: 0, withDuplicates: 0, late };
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
    const files = { worst: [], withRefused: 0, withAdapted: 0, withDuplicates: 0, late: undefined };
    expect(filesSection(of, files)?.markup).toMatch(/<li>1 file was not read \(.*s3:\/\/raw\/_SUCCESS/);
  });
});
