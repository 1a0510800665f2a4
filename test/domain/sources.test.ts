/** Sources that have gone quiet or are new: noticed when it cannot be chance, and never of what is rare. */
import { describe, expect, it } from 'vitest';
import {
  type DailySources,
  EVENT_SOURCES,
  SOURCE_DAYS,
  type SourceKind,
  sourceChanges,
  sourceWarnings,
  USER_SOURCES,
} from '../../domain/sources.ts';
import { addDays } from '../../domain/time.ts';
import { seeded } from '../support/seeded.ts';

const FIRST = '2018-10-01';

/** The newest days of a log with 1,000 events and 50 users a day. */
function daily(
  source: { readonly kind?: SourceKind; readonly name?: string },
  counts: readonly number[],
): DailySources {
  return {
    days: counts.map((_, day) => ({ day: addDays(FIRST, day), events: 1_000, users: 50 })),
    counts: [{ kind: source.kind ?? 'page', name: source.name ?? 'Help', counts: [...counts] }],
  };
}

const days = (count: number, each: number): number[] => Array.from({ length: count }, () => each);

describe('a source', () => {
  it('has gone quiet once 20 would have been usual: of 10 a day after two days, of 2 a day after ten', () => {
    expect(sourceChanges(daily({}, [...days(40, 10), 0]))).toEqual([]);
    expect(sourceChanges(daily({}, [...days(40, 10), 0, 0]))).toEqual([
      { kind: 'page', name: 'Help', change: 'quiet', day: '2018-11-09', expected: 20 },
    ]);
    expect(sourceChanges(daily({}, [...days(40, 2), ...days(9, 0)]))).toEqual([]);
    expect(sourceChanges(daily({}, [...days(40, 2), ...days(10, 0)]))).toHaveLength(1);
    // After four weeks it is not usual any more.
    expect(sourceChanges(daily({}, [...days(28, 10), ...days(28, 0)]))).toHaveLength(1);
    expect(sourceChanges(daily({}, [...days(27, 10), ...days(29, 0)]))).toEqual([]);
  });

  it('is new once it has come 20 times where it never came, and is no news after two weeks', () => {
    expect(sourceChanges(daily({}, [...days(30, 0), 7, 6, 6]))).toEqual([]);
    expect(sourceChanges(daily({}, [...days(30, 0), 100, 100]))).toEqual([]);
    expect(sourceChanges(daily({}, [...days(30, 0), 7, 6, 8]))).toEqual([
      { kind: 'page', name: 'Help', change: 'new', day: '2018-10-31', expected: expect.closeTo(7 * 28, 9) },
    ]);
    expect(sourceChanges(daily({}, [...days(30, 0), ...days(14, 5)]))).toHaveLength(1);
    expect(sourceChanges(daily({}, [...days(30, 0), ...days(15, 5)]))).toEqual([]);
  });

  it('is not said to have changed in the first two weeks of a log, nor where days have no events', () => {
    expect(sourceChanges(daily({}, [...days(13, 100), 0, 0]))).toEqual([]);
    expect(sourceChanges(daily({}, [...days(13, 0), ...days(5, 100)]))).toEqual([]);
    const empty = daily({}, [...days(40, 10), 0, 0, 0]);
    const withoutEvents = empty.days.map((day, index) =>
      index < 40 ? day : { ...day, events: 0, users: 0 },
    );
    expect(sourceChanges({ ...empty, days: withoutEvents })).toEqual([]);
  });

  it('that is a device is measured by the users of the day', () => {
    expect(sourceChanges(daily({ kind: 'device', name: 'iPad' }, [...days(40, 5), ...days(4, 0)]))).toEqual([
      { kind: 'device', name: 'iPad', change: 'quiet', day: '2018-11-09', expected: 20 },
    ]);
  });

  it('that comes in bursts must be missed for longer', () => {
    const bursts = Array.from({ length: 40 }, (_, day) => (day % 2 === 0 ? 0 : 20));
    expect(sourceChanges(daily({}, [...bursts, ...days(6, 0)]))).toEqual([]);
    expect(sourceChanges(daily({}, [...bursts, ...days(10, 0)]))).toHaveLength(1);
  });

  it('that is rare or comes in bursts is not said to have changed, in 2,000 logs', () => {
    const random = seeded(3);
    for (let log = 0; log < 2_000; log += 1) {
      // On one day in 2 to 40, from one to six at a time.
      const every = 2 + random(39);
      const seen = days(SOURCE_DAYS, 0).map(() => (random(every) === 0 ? 1 + random(6) : 0));
      const changes = sourceChanges(daily({}, seen)).filter(({ expected }) => expected > 0);
      expect(changes, seen.join(' ')).toEqual([]);
    }
  });

  it('is named in a sentence', () => {
    expect(sourceWarnings(daily({ name: 'Thumbs Up' }, [...days(40, 10), 0, 0, 0]))).toEqual([
      'The page Thumbs Up has not appeared since 2018-11-09, though 30 events with it would have been usual',
    ]);
    expect(sourceWarnings(daily({ kind: 'level', name: 'free' }, [...days(30, 0), ...days(3, 500)]))).toEqual(
      [
        'The level free is new since 2018-10-31; at this rate 14,000 events would have come in the days before',
      ],
    );
    expect(sourceWarnings(daily({ kind: 'auth', name: 'Logged Out' }, [...days(40, 10), 0, 0, 0]))).toEqual([
      'The authentication state Logged Out has not appeared since 2018-11-09, though 30 events with it would have been usual',
    ]);
    expect(sourceWarnings(undefined)).toEqual([]);
  });

  it('is named once', () => {
    const names = [...EVENT_SOURCES, ...USER_SOURCES].map(({ kind, name }) => `${kind} ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });
});
