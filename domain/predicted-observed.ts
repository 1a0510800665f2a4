/** Whether as many users cancelled as a model predicted. Pure functions. */
import { poissonInterval } from './poisson-interval.ts';
import type { Estimate, ModelEvaluation } from './results.ts';

/** Predicted over observed cancellations that are taken for chance or a small error. */
export const PREDICTED_OBSERVED_LIMITS = { least: 0.8, most: 1.25 } as const;

export interface PredictedObserved extends Estimate {
  readonly predicted: number;
  readonly observed: number;
  /** False when the whole interval is outside the limits. */
  readonly credible: boolean;
}

/**
 * Cancellations that the probabilities add up to, over those that came, with the exact 95 % interval of their count. Where
 * none came the ratio has no value, and the upper end is infinite: undefined then.
 */
export function predictedObserved({
  reliability,
}: Pick<ModelEvaluation, 'reliability'>): PredictedObserved | undefined {
  const sum = (value: (bin: ModelEvaluation['reliability'][number]) => number): number =>
    reliability.reduce((total, bin) => total + value(bin), 0);
  const predicted = sum((bin) => bin.predicted * bin.users);
  const observed = Math.round(sum((bin) => bin.observed * bin.users));
  return overObserved(predicted, observed);
}

/** The same of two sums: cancellations that were predicted, and those that came. */
export function overObserved(predicted: number, observed: number): PredictedObserved | undefined {
  if (observed === 0) return undefined;
  const { low, high } = poissonInterval(observed);
  const [least, most] = [predicted / high, predicted / low];
  return {
    predicted,
    observed,
    value: predicted / observed,
    low: least,
    high: most,
    credible: most >= PREDICTED_OBSERVED_LIMITS.least && least <= PREDICTED_OBSERVED_LIMITS.most,
  };
}
