/** How a model did on a part of the test users: formulas over what train-models has counted. Pure functions. */
import { areaDeviation } from './area-lower-bound.ts';
import { overObserved } from './predicted-observed.ts';
import type { Estimate, Slice } from './results.ts';
import { shareInterval } from './share-interval.ts';
import { LEAST_SLICE_USERS } from './slices.ts';

/** A slice's figures, each with its 95 % interval; undefined where it cannot be computed. */
export interface SliceFigures {
  /** Share that cancelled, by Wilson's score. */
  readonly rate: Estimate;
  /** Cancellations predicted over those that came; exact, from the count as a Poisson variable. */
  readonly predictedObserved: (Estimate & { readonly credible: boolean }) | undefined;
  /** By the variance of Hanley and McNeil. */
  readonly auc: Estimate | undefined;
}

/** Undefined for a slice of too few users. */
export function sliceFigures({ users, cancelled, predicted, auc }: Slice): SliceFigures | undefined {
  if (users < LEAST_SLICE_USERS) return undefined;
  const rate = cancelled / users;
  return {
    rate: { value: rate, ...shareInterval(rate, users) },
    predictedObserved: overObserved(predicted, cancelled),
    auc: auc === null ? undefined : areaEstimate(auc, cancelled, users - cancelled),
  };
}

function areaEstimate(value: number, cancelled: number, stayed: number): Estimate {
  const margin = 1.96 * areaDeviation(value, cancelled, stayed);
  // Of an area of 0 or 1 the formula knows no spread.
  if (margin === 0) return { value, low: null, high: null };
  return { value, low: Math.max(0, value - margin), high: Math.min(1, value + margin) };
}

/** The column `slice` of `model_metrics`: "level=paid". */
export function sliceName({ variable, value }: Pick<Slice, 'variable' | 'value'>): string {
  return `${variable}=${value}`;
}
