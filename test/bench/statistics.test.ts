import { expect, test } from 'vitest';
import { growth, mean, median } from '../../bench/statistics.ts';

test('the median is the value in the middle, or the mean of the two', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 100])).toBe(3.5);
  expect(() => median([])).toThrow('no values');
  expect(mean([1, 2, 6])).toBe(3);
});

test('growth is the power of the size with which a cost grows', () => {
  expect(growth({ size: 10, cost: 3 }, { size: 100, cost: 30 })).toBeCloseTo(1);
  expect(growth({ size: 10, cost: 3 }, { size: 1000, cost: 30 })).toBeCloseTo(0.5);
  expect(growth({ size: 2, cost: 7 }, { size: 20, cost: 7 })).toBe(0);
});

test('growth is not known from a cost of nothing or from one size', () => {
  expect(growth({ size: 10, cost: 0 }, { size: 100, cost: 30 })).toBeUndefined();
  expect(growth({ size: 10, cost: 3 }, { size: 10, cost: 30 })).toBeUndefined();
});
