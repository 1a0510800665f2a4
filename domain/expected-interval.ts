/** How far the number of users who will cancel may be from what the probabilities add up to. Pure functions. */
import { PROBABILITY_BINS } from './models.ts';
import { predictedObserved } from './predicted-observed.ts';
import type { RunDetail } from './records.ts';
import type { PastTest, ScoringResult } from './results.ts';
import { scoringEvaluation } from './scoring-evaluation.ts';

const NORMAL_QUANTILE = 1.96;
/** Stands in for a count of none, whose logarithm there is not. */
const HALF = 0.5;

/** Why the number may differ, as relative variances; they add up. */
export interface Uncertainty {
  /** Each user cancels or stays by chance, even if every probability is right. */
  readonly outcomes: number;
  /** The level of the probabilities was learnt from so many cancellations. */
  readonly calibration: number;
  /** By how much predictions were off at the test cutoffs, beyond chance. */
  readonly cutoffs: number;
}

/** Cancellations that were predicted for the users of a cutoff, and those that came. */
export interface TestedCutoff {
  readonly predicted: number;
  readonly observed: number;
}

type Scored = Pick<RunDetail, 'scoring' | 'training' | 'choice'>;

/** The 95 % interval of the cancellations that are expected, in whole users. */
export function expectedInterval(detail: Scored): readonly [low: number, high: number] {
  const { expectedCancellations: expected, users } = detail.scoring;
  if (expected <= 0) return [0, 0];
  const { outcomes, calibration, cutoffs } = uncertainty(detail);
  // The error is one of level, so it is a factor, and the interval is longer upwards.
  const factor = Math.exp(NORMAL_QUANTILE * Math.sqrt(outcomes + calibration + cutoffs));
  return [Math.floor(expected / factor), Math.min(users, Math.ceil(expected * factor))];
}

/** The three parts of the interval. */
export function uncertainty(detail: Scored): Uncertainty {
  const { scoring, training } = detail;
  return {
    outcomes: outcomeVariance(scoring) / scoring.expectedCancellations ** 2,
    // A run without training does not know from how many the champion learnt.
    calibration: training === null ? 0 : 1 / Math.max(1, training.trainCancellations),
    cutoffs: levelVariance(testedCutoffs(detail)),
  };
}

/** The newest test cutoff, by the model that scored, and the earlier ones, by the same kind of model. */
function testedCutoffs(detail: Scored): readonly TestedCutoff[] {
  const evaluation = scoringEvaluation(detail);
  const newest = evaluation === undefined ? undefined : predictedObserved(evaluation);
  const past = (detail.training?.past ?? []).flatMap(({ predicted, testCancellations }: PastTest) =>
    predicted === null ? [] : [{ predicted, observed: testCancellations }],
  );
  return newest === undefined ? past : [...past, newest];
}

/**
 * Mean square of the logarithm of predicted over observed, without the part that the chance of each count explains. About 0
 * and not about the mean: where all cutoffs are off in one direction, the next may be off as well.
 */
export function levelVariance(cutoffs: readonly TestedCutoff[]): number {
  const known = cutoffs.filter(({ predicted }) => predicted > 0);
  if (known.length === 0) return 0;
  const surplus = known.reduce((sum, { predicted, observed }) => {
    const count = Math.max(observed, HALF);
    return sum + Math.log(predicted / count) ** 2 - 1 / count;
  }, 0);
  return Math.max(0, surplus / known.length);
}

/** Variance of the number of users who cancel if every probability is right. */
function outcomeVariance({ probabilities, expectedCancellations: expected, users }: ScoringResult): number {
  if (probabilities === undefined) return expected * (1 - (users === 0 ? 0 : expected / users));
  return probabilities.reduce((sum, bin) => {
    const probability = (bin.bin + 0.5) / PROBABILITY_BINS;
    return sum + (bin.users + bin.control) * probability * (1 - probability);
  }, 0);
}
