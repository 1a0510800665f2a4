/** Intervals of slices: the formulas' published values. */
import { describe, expect, it } from 'vitest';
import type { Slice } from '../../domain/results.ts';
import { sliceFigures } from '../../domain/slice-figures.ts';
import { LEAST_SLICE_USERS } from '../../domain/slices.ts';

const slice = (changed: Partial<Slice>): Slice => ({
  model: 'challenger',
  variable: 'level',
  value: 'paid',
  users: 109,
  cancelled: 51,
  predicted: 60,
  auc: 0.893,
  ...changed,
});

describe('the figures of a slice', () => {
  it('have an AUC with the standard error that Hanley and McNeil print for their example', () => {
    const { auc } = sliceFigures(slice({})) ?? {};
    expect(auc?.value).toBe(0.893);
    expect(auc?.low).toBeCloseTo(0.893 - 1.96 * 0.0325, 4);
    expect(auc?.high).toBeCloseTo(0.893 + 1.96 * 0.0325, 4);
  });

  it('have a rate with the interval of Wilson, and a ratio with the exact one of a Poisson count', () => {
    const { rate, predictedObserved } =
      sliceFigures(slice({ users: 250, cancelled: 10, predicted: 12 })) ?? {};
    // By statsmodels' proportion_confint(10, 250, method='wilson').
    expect(rate?.value).toBe(0.04);
    expect(rate?.low).toBeCloseTo(0.021_87, 4);
    expect(rate?.high).toBeCloseTo(0.072_05, 4);
    // Garwood: of a count of 10, 4.7954 to 18.3904.
    expect(predictedObserved?.value).toBe(1.2);
    expect(predictedObserved?.low).toBeCloseTo(12 / 18.3904, 4);
    expect(predictedObserved?.high).toBeCloseTo(12 / 4.7954, 4);
    expect(predictedObserved?.credible).toBe(true);
    expect(sliceFigures(slice({ cancelled: 51, predicted: 20 }))?.predictedObserved?.credible).toBe(false);
  });

  it('are none of too few users', () => {
    const cancelled = 5;
    expect(sliceFigures(slice({ users: LEAST_SLICE_USERS - 1, cancelled }))).toBeUndefined();
    expect(sliceFigures(slice({ users: LEAST_SLICE_USERS, cancelled }))).toBeDefined();
  });

  it('are left out where they cannot be computed', () => {
    const nobody = sliceFigures(slice({ cancelled: 0, auc: null }));
    expect(nobody?.rate).toMatchObject({ value: 0, low: 0 });
    expect(nobody?.rate.high).toBeGreaterThan(0.03);
    expect([nobody?.predictedObserved, nobody?.auc]).toEqual([undefined, undefined]);
    // The formula knows no spread of an area that is perfect.
    expect(sliceFigures(slice({ auc: 1 }))?.auc).toEqual({ value: 1, low: null, high: null });
    expect(sliceFigures(slice({ auc: 0.99, cancelled: 2 }))?.auc?.high).toBe(1);
  });
});
