/**
 * Whether test rows contradict a model's probabilities. Two questions, each asked so that a perfect model fails it in 2.5 %
 * of all runs: did as many cancel as predicted, and does the outcome rise with the log-odds as it should? Pure functions.
 */
import { poissonInterval } from './poisson-interval.ts';
import type { CurveBin, Estimate } from './results.ts';

/** Of each question, by chance: together at most 5 %. */
const FALSE_ALARMS = 0.025;
/** Two-sided quantile of the normal distribution for it. */
const NORMAL_QUANTILE = 2.2414;
const ITERATIONS = 30;
const LONGEST_STEP = 1;
const LEAST_PROBABILITY = 1e-9;

export interface CalibrationCheck {
  /** Predicted over observed cancellations; undefined where none came. */
  readonly predictedObserved: Estimate | undefined;
  /** Of the outcome on the log-odds of the probability; undefined where the rows cannot tell. */
  readonly slope: Estimate | undefined;
  /** What the rows contradict. */
  readonly contradicted: readonly ('predicted_observed' | 'calibration_slope')[];
}

/** @param rows test rows in groups of adjoining scores */
export function checkCalibration(rows: readonly CurveBin[]): CalibrationCheck {
  const predicted = rows.reduce((sum, bin) => sum + bin.predicted * bin.users, 0);
  const observed = rows.reduce((sum, bin) => sum + bin.cancelled, 0);
  const { low, high } = poissonInterval(observed, FALSE_ALARMS / 2);
  const users = rows.reduce((sum, bin) => sum + bin.users, 0);
  const slope = observed === 0 || observed === users ? undefined : recalibrationSlope(rows);
  return {
    predictedObserved:
      observed === 0
        ? undefined
        : { value: predicted / observed, low: predicted / high, high: predicted / low },
    slope,
    contradicted: [
      ...(predicted < low || predicted > high ? (['predicted_observed'] as const) : []),
      ...(slope !== undefined && excludes(slope, 1) ? (['calibration_slope'] as const) : []),
    ],
  };
}

function excludes({ low, high }: Estimate, value: number): boolean {
  return (low !== null && value < low) || (high !== null && value > high);
}

/** By Newton's method from the probabilities as they are, with Wald's interval; undefined where it does not settle. */
function recalibrationSlope(rows: readonly CurveBin[]): Estimate | undefined {
  const points = rows.map(({ predicted, users, cancelled }) => {
    const probability = Math.min(Math.max(predicted, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY);
    return { logOdds: Math.log(probability / (1 - probability)), users, cancelled };
  });
  let [intercept, slope] = [0, 1];
  for (let iteration = 0; iteration < ITERATIONS; iteration += 1) {
    const sums = { weight: 0, first: 0, second: 0, surplus: 0, leaning: 0 };
    for (const { logOdds, users, cancelled } of points) {
      const expected = 1 / (1 + Math.exp(-(intercept + slope * logOdds)));
      const weight = users * expected * (1 - expected);
      sums.weight += weight;
      sums.first += weight * logOdds;
      sums.second += weight * logOdds ** 2;
      sums.surplus += cancelled - users * expected;
      sums.leaning += (cancelled - users * expected) * logOdds;
    }
    const determinant = sums.weight * sums.second - sums.first ** 2;
    if (!(determinant > 1e-9 * sums.weight * sums.second)) return undefined;
    const change = (sums.weight * sums.leaning - sums.first * sums.surplus) / determinant;
    slope += bounded(change);
    intercept += bounded((sums.second * sums.surplus - sums.first * sums.leaning) / determinant);
    if (Math.abs(change) < 1e-9) {
      const error = NORMAL_QUANTILE * Math.sqrt(sums.weight / determinant);
      return { value: slope, low: slope - error, high: slope + error };
    }
  }
  return undefined;
}

function bounded(step: number): number {
  return Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, step));
}
