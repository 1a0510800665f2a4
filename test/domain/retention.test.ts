/** Which runs have had their time, case by case. */
import { describe, expect, it } from 'vitest';
import {
  expiredRuns,
  expiredText,
  MOST_EXPIRED_AT_ONCE,
  MOST_SHOWN_RUNS,
  type RetentionFacts,
  type StoredRun,
} from '../../domain/retention.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * 86_400_000);
const OLD = daysAgo(500);

/** Enough newer runs that none of those below is shown. */
const NEWER = Array.from({ length: MOST_SHOWN_RUNS }, (_, run) => ({
  runId: `newer-${run}`,
  at: daysAgo(1),
}));

function facts(changed: Partial<RetentionFacts> & { readonly stored: readonly StoredRun[] }): RetentionFacts {
  return {
    now: NOW,
    retentionDays: 400,
    recorded: [...NEWER, ...changed.stored.map(({ runId }) => ({ runId, at: OLD }))],
    withOutcome: new Set(changed.stored.map(({ runId }) => runId)),
    inUse: new Set(),
    ...changed,
  };
}

const run = (runId: string, changed: Partial<StoredRun> = {}): StoredRun => ({
  runId,
  writtenAt: OLD,
  hasDetail: true,
  ...changed,
});

describe('expiredRuns', () => {
  const one = [run('one')];
  it.each<[string, RetentionFacts, boolean]>([
    ['ended long ago, is not shown, and its outcome is known', facts({ stored: one }), true],
    [
      'ended within the days of the setting',
      facts({ stored: one, recorded: [...NEWER, { runId: 'one', at: daysAgo(399) }] }),
      false,
    ],
    [
      'ended a day before them',
      facts({ stored: one, recorded: [...NEWER, { runId: 'one', at: daysAgo(401) }] }),
      true,
    ],
    ['ended within the days of a longer setting', facts({ stored: one, retentionDays: 600 }), false],
    [
      'is the oldest of the runs that are shown',
      facts({ stored: one, recorded: [...NEWER.slice(1), { runId: 'one', at: OLD }] }),
      false,
    ],
    ['waits for its outcome', facts({ stored: one, withOutcome: new Set() }), false],
    [
      'failed, so that it waits for none',
      facts({ stored: [run('one', { hasDetail: false })], withOutcome: new Set() }),
      true,
    ],
    ['is in use', facts({ stored: one, inUse: new Set(['one']) }), false],
    [
      'was written again when a user was forgotten',
      facts({ stored: [run('one', { writtenAt: daysAgo(2) })] }),
      true,
    ],
    [
      'has no record, and wrote long ago',
      facts({ stored: [run('one', { hasDetail: false })], recorded: NEWER, withOutcome: new Set() }),
      true,
    ],
    [
      'has no record, and still writes',
      facts({
        stored: [run('one', { hasDetail: false, writtenAt: daysAgo(0) })],
        recorded: NEWER,
        withOutcome: new Set(),
      }),
      false,
    ],
  ])('a run that %s', (_, known, expires) => {
    expect(expiredRuns(known)).toEqual(expires ? ['one'] : []);
  });

  it('takes the oldest first, and only so many at once', () => {
    const stored = Array.from({ length: MOST_EXPIRED_AT_ONCE + 5 }, (_, index) => run(`old-${index}`));
    const recorded = [...NEWER, ...stored.map(({ runId }, index) => ({ runId, at: daysAgo(500 + index) }))];
    const expired = expiredRuns(facts({ stored, recorded }));
    expect(expired).toHaveLength(MOST_EXPIRED_AT_ONCE);
    expect(expired[0]).toBe(`old-${MOST_EXPIRED_AT_ONCE + 4}`);
    expect(expired).not.toContain('old-4');
  });
});

describe('expiredText', () => {
  it('says how many runs, if any', () => {
    expect(expiredText(0)).toBeUndefined();
    expect(expiredText(1)).toContain('of 1 old run (');
    expect(expiredText(3)).toContain('of 3 old runs (');
  });
});
