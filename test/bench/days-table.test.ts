import { expect, test } from 'vitest';
import { compared, type DayFigures, daysText } from '../../bench/days-table.ts';

/** A first run of 100 seconds, then days of 10 seconds, and of 30 on each fifth, with a hundredth more a day. */
function runs(days: number): readonly DayFigures[] {
  return Array.from({ length: days + 1 }, (_, day) => {
    const hasTrained = day % 5 === 0;
    const cpuSeconds = day === 0 ? 100 : (hasTrained ? 30 : 10) * (1 + day / 100);
    return { day, cpuSeconds, wallSeconds: 2, hasTrained, bytes: day * 1e6, files: 7 * day, snapshots: day };
  });
}

test('the five days up to day 60 are compared with those up to day 10', () => {
  const found = compared(runs(60).slice(1));
  expect(found?.map(({ from, until }) => [from, until])).toEqual([
    [6, 10],
    [56, 60],
  ]);
  expect(found?.[0].figures.map(({ day }) => day)).toEqual([6, 7, 8, 9, 10]);
});

test('the halves of a short simulation are compared, without a day in common', () => {
  const found = compared(runs(8).slice(1));
  expect(found?.map(({ from, until }) => [from, until])).toEqual([
    [1, 4],
    [5, 8],
  ]);
  expect(compared(runs(1).slice(1))).toBeUndefined();
});

test('each run has its line, and the last days are said against the early ones', () => {
  const lines = daysText(runs(60)).split('\n');
  expect(lines[1]).toMatch(/^first run +100\.0 +2\.0 +yes +0 +0 +0$/);
  expect(lines[61]).toMatch(/^day 60 +48\.0 +2\.0 +yes +60 +420 +60$/);
  // (4 x 10 x 1.575 + 30 x 1.6) / (4 x 10 x 1.075 + 30 x 1.1), and 15.75 / 10.75.
  expect(lines.at(-1)).toBe(
    'days 56 to 60 cost 1.46 times the CPU of days 6 to 10; without those that trained, 1.47 times (medians).',
  );
});
