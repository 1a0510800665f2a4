import { describe, expect, it } from 'vitest';
import { fileKind, PASSED_OVER_REASONS } from '../../domain/event-files.ts';
import { listingWarnings } from '../../domain/listing.ts';

const reasonOf = (path: string, bytes = 1) => {
  const found = fileKind(path, bytes);
  return found.kind === 'passed over' ? found.reason : found.kind;
};

describe('the kind of a file', () => {
  it.each([
    'a.json',
    'a.jsonl',
    'a.ndjson',
    'a.JSON',
    'a.Json.gz',
    'a.json.bz2',
    'a.json.GZ',
    'a.JSONL.Bz2',
    'dt=2018-10-01/hour=00/a.ndjson.gz',
    'events-2018-10-01T00:00:00Z.json.gz',
    'a, [1] {b} 100% é.jsonl',
  ])('is an event file by its ending: %s', (path) => {
    expect(reasonOf(path)).toBe('events');
  });

  it.each([
    '2018-11-09.log',
    'a.LOG.gz',
    'part-00000.GZ',
    'sparkify-events-1-2018-11-07-00-00-05-6d0f',
    'sparkify-events-1-2018-11-08-00-00-05-7e1a.gz',
    'part-00000',
    'events.2018-10-01',
  ])('is found out from the first lines: %s', (path) => {
    expect(reasonOf(path)).toBe('unsure');
  });

  it.each([
    ['a.json', 'empty', 0],
    ['part-00000', 'empty', 0],
    ['_SUCCESS', 'marker', 0],
    ['.a.json.gz.crc', 'marker', 8],
    ['a.json.crc', 'marker', 8],
    ['_temporary/0/task/part-0.json', 'marker', 8],
    ['events_$folder$', 'marker', 0],
    ['', 'marker', 0],
    ['_draft.json', 'hidden', 8],
    ['.cache/a.json', 'hidden', 8],
    ['a.json.zip', 'zip', 8],
    ['a.json.zst', 'zstd', 8],
    ['a.json.snappy', 'snappy', 8],
    ['a.tar.gz', 'other_compression', 8],
    ['a.json.GZ', 'empty', 0],
    ['a.json.GZ', 'capital_compression', 50_000_000],
    ['a.csv.GZ', 'table', 8],
    ['a.snappy.parquet', 'columnar', 8],
    ['a.csv.gz', 'table', 8],
    ['readme.txt', 'unknown_ending', 8],
    ['manifest.xml', 'unknown_ending', 8],
  ])('is a reason to pass it over: %s is %s', (path, reason, bytes) => {
    expect(reasonOf(path, bytes)).toBe(reason);
  });
});

it('names files that were not read by reason, with the remedy', () => {
  const listing = {
    since: null,
    left: { count: 0, first: [] },
    passedOver: [
      { reason: 'zip' as const, count: 1, first: ['a.zip'] },
      { reason: 'marker' as const, count: 1_200, first: ['_SUCCESS'] },
    ],
    oneTask: { count: 1, first: ['a.json.gz'] },
  };
  expect(listingWarnings(listing)).toEqual([
    '1 file was not read (zip archives): a.zip; unpack them, and deliver what is in them as .json or .json.gz',
    '1,200 files were not read (markers of the programs that wrote them): _SUCCESS, ...',
    expect.stringMatching(/^1 file is larger than 1 GB and compressed with gzip, which one task must read/),
  ]);
  expect(PASSED_OVER_REASONS).toContain('no_events');
});
