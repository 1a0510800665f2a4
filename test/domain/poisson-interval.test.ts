/** Garwood's interval against published values and its own definition. */
import { describe, expect, it } from 'vitest';
import { poissonInterval } from '../../domain/poisson-interval.ts';

describe('the exact interval of a count', () => {
  // Garwood (1936), Fiducial limits for the Poisson distribution: table at 95 %.
  it.each([
    [0, 0, 3.689],
    [1, 0.0253, 5.572],
    [5, 1.623, 11.668],
    [10, 4.795, 18.39],
    [50, 37.11, 65.92],
    [100, 81.36, 121.63],
  ])('of %i is that of the table', (count, low, high) => {
    const interval = poissonInterval(count);
    expect(interval.low).toBeCloseTo(low, 2);
    expect(interval.high).toBeCloseTo(high, 2);
  });

  it('of many is close to the normal one', () => {
    const { low, high } = poissonInterval(40_000);
    expect(low).toBeCloseTo(40_000 - 1.96 * 200 + 1.3, -1);
    expect(high).toBeCloseTo(40_000 + 1.96 * 200 + 1.3, -1);
  });
});
