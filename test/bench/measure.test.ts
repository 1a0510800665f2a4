import { expect, test } from 'vitest';
import { cpuSecondsOf, lostSeconds } from '../../bench/measure.ts';

test("the shell's times of its children are read", () => {
  expect(cpuSecondsOf('0m0.010000s 0m0.010000s\n1m2.500000s 0m0.250000s\n')).toBe(62.75);
});

test('the time of processes that nobody waited for is what the time of all has dropped by', () => {
  expect(lostSeconds([1, 5, 9, 9.5])).toBe(0);
  // A process of 7 seconds was killed, and nothing came back.
  expect(lostSeconds([1, 5, 9, 2, 2.5, 3])).toBe(7);
  // One has ended, and was waited for by the next sample.
  expect(lostSeconds([1, 5, 9, 2, 9.5])).toBe(0);
  expect(lostSeconds([])).toBe(0);
});
