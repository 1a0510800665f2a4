import { describe, expect, it } from 'vitest';
import { ageInDays, findHoles, touchedCutoffs } from '../../domain/holes.ts';
import { addDays } from '../../domain/time.ts';

const FIRST = '2018-10-01';
/** Days from the first on; 0 stands for a day without events. */
const log = (...events: readonly number[]) => ({
  days: events.flatMap((rows, index) => (rows === 0 ? [] : [{ day: addDays(FIRST, index), events: rows }])),
  period: { firstDay: FIRST, observationEnd: addDays(FIRST, events.length) },
});
const holes = (...events: readonly number[]) => {
  const { days, period } = log(...events);
  return findHoles(days, period).map(({ day }) => Number(day.slice(8)) - 1);
};

describe('the holes of a log', () => {
  it('are days without events, however small the log', () => {
    expect(holes(5, 5, 0, 5, 5)).toEqual([2]);
    expect(holes(900, 900, 0, 0, 0, 0, 0, 0, 0, 900)).toEqual([2, 3, 4, 5, 6, 7, 8]);
  });

  it('are days with less than a fifth of the median of the seven days around', () => {
    expect(holes(100, 100, 100, 19, 100, 100, 100)).toEqual([3]);
    expect(holes(100, 100, 100, 20, 100, 100, 100)).toEqual([]);
  });

  it('are not thin where so few are usual that chance explains it', () => {
    expect(holes(50, 50, 50, 9, 50, 50, 50)).toEqual([3]);
    expect(holes(49, 49, 49, 1, 49, 49, 49)).toEqual([]);
  });

  it('do not include a first or last day that is not whole', () => {
    expect(holes(1, 100, 100, 100, 100, 100, 1)).toEqual([]);
  });

  it('follow a log that grows or rests at weekends', () => {
    expect(holes(100, 110, 120, 60, 50, 130, 150, 170, 190, 80, 70, 210)).toEqual([]);
  });
});

describe('the cutoffs that a hole touches', () => {
  const cutoffs = [
    { cutoff: '2018-10-15', role: 'train' as const },
    { cutoff: '2018-11-12', role: 'test' as const },
    { cutoff: '2018-11-26', role: 'score' as const },
  ];
  const touched = (day: string) => touchedCutoffs([{ day }], cutoffs, 14);

  it('are those whose label window or last 28 days hold it', () => {
    expect(touched('2018-10-10')).toEqual(['2018-10-15']);
    expect(touched('2018-10-28')).toEqual(['2018-10-15', '2018-11-12']);
    expect(touched('2018-11-20')).toEqual(['2018-11-12', '2018-11-26']);
    expect(touchedCutoffs([], cutoffs, 14)).toEqual([]);
  });
});

it('is as old as the whole days since its newest day ended', () => {
  expect(ageInDays('2018-11-25', '2018-11-26T00:00:00Z')).toBe(0);
  expect(ageInDays('2018-11-25', '2018-11-27T23:59:59Z')).toBe(1);
  expect(ageInDays('2018-11-25', '2018-11-25T12:00:00Z')).toBe(0);
});
