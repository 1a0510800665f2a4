/** Counts that must agree: one that differs, is missing or is no number fails the run, and each is named. */
import { describe, expect, it } from 'vitest';
import { RECONCILE_COLUMNS } from '../../../domain/reconcile.ts';
import { reconcile } from '../../../lambda/store-metrics/reconciliation.ts';

const COUNTS = { read: 100, accepted: 90, quarantined: 7, duplicates: 3 };
const EXPECTED = [
  { table: 'events', expected: 90 },
  { table: 'scores', expected: 5 },
  { table: 'features', expected: 0 },
];

/** The query's answer, with other counts than expected. */
const answer = (other: Readonly<Record<string, string | null>> = {}) =>
  EXPECTED.map(({ table, expected }) => ({
    [RECONCILE_COLUMNS.table]: table,
    [RECONCILE_COLUMNS.rows]: table in other ? (other[table] ?? null) : String(expected),
  }));

function complaintsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ReconciliationFailed') throw error;
    return error.message.split('\n').filter((line) => line.startsWith('- '));
  }
  throw new Error('the counts were accepted');
}

it('counts that agree are kept, table by table', () => {
  expect(reconcile(answer(), EXPECTED, COUNTS)).toEqual([
    { table: 'events', counted: 90, expected: 90 },
    { table: 'scores', counted: 5, expected: 5 },
    { table: 'features', counted: 0, expected: 0 },
  ]);
});

describe('a count fails the run', () => {
  it.each([
    ['is one less', '89', '89 rows'],
    ['is one more', '91', '91 rows'],
    ['is no number', 'many', 'no count'],
    ['begins with a number', '90 rows', 'no count'],
    ['ends with a number', 'about 90', 'no count'],
    ['is negative', '-90', 'no count'],
    ['is empty', '', 'no count'],
    ['is null', null, 'no count'],
  ])('that %s', (_, text, words) => {
    expect(complaintsOf(() => reconcile(answer({ events: text }), EXPECTED, COUNTS))).toEqual([
      expect.stringMatching(new RegExp(`^- events: .*${words}`)),
    ]);
  });

  it('that is not in the answer', () => {
    const rows = answer().filter((row) => row[RECONCILE_COLUMNS.table] !== 'scores');
    expect(complaintsOf(() => reconcile(rows, EXPECTED, COUNTS))).toEqual([
      expect.stringMatching(/^- scores: .*no count/),
    ]);
  });
});

describe('rows that were read', () => {
  it.each([
    ['accepted', { ...COUNTS, accepted: 91 }, 101],
    ['quarantined', { ...COUNTS, quarantined: 6 }, 99],
    ['duplicates', { ...COUNTS, duplicates: 4 }, 101],
  ])('must be accounted for: %s', (_, counts, accounted) => {
    expect(complaintsOf(() => reconcile(answer(), EXPECTED, counts))).toEqual([
      expect.stringMatching(new RegExp(`^- ingest: 100 rows were read, but ${accounted} `)),
    ]);
  });

  it('leave the lake with as many events as there were, less those taken away, more those accepted and returned', () => {
    const changes = { before: 50, takenAway: 8, returned: 2, after: 134 };
    expect(reconcile(answer(), EXPECTED, COUNTS, changes)).toHaveLength(3);
    for (const field of ['before', 'takenAway', 'returned', 'after'] as const) {
      const other = { ...changes, [field]: changes[field] + 1 };
      expect(complaintsOf(() => reconcile(answer(), EXPECTED, COUNTS, other))).toEqual([
        expect.stringMatching(/^- events: the lake holds 13\d after the batch, but 5\d before it/),
      ]);
    }
  });

  it('are named with every other complaint', () => {
    const complaints = complaintsOf(() =>
      reconcile(answer({ events: '1', scores: null }), EXPECTED, { ...COUNTS, read: 0 }),
    );
    expect(complaints.map((line) => line.split(':')[0])).toEqual(['- ingest', '- events', '- scores']);
  });
});
