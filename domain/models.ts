/**
 * The models that compete, the baselines that they must beat, and the metrics by which all are judged.
 * Names are stored for good in results, run records and the table model_metrics. A name must not change or get a second
 * meaning, and a name that is removed here makes the results that hold it unreadable.
 */

/** A model that can be chosen. The simplest first: among those that are as good as the best, the first is chosen. */
export const CANDIDATES = [
  { name: 'segments', label: 'Regression on segments' },
  { name: 'logistic_regression', label: 'Logistic regression' },
  { name: 'random_forest', label: 'Random forest' },
  { name: 'boosted_trees', label: 'Gradient-boosted trees' },
  { name: 'segments_and_trees', label: 'Segments and trees, their mean' },
] as const;

/** A trivial model that every candidate must beat. */
export const BASELINES = [
  { name: 'base_rate', label: 'Base rate' },
  { name: 'days_since_last_seen', label: 'Days since last seen' },
] as const;

/** Every model that is evaluated. */
export const MODELS = [...CANDIDATES, ...BASELINES] as const;

export type CandidateName = (typeof CANDIDATES)[number]['name'];
export type BaselineName = (typeof BASELINES)[number]['name'];
export type ModelName = (typeof MODELS)[number]['name'];

/** Where a metric is shown, besides the report's table of all metrics. */
export type MetricPlace = 'terminal' | 'notification' | 'report head' | 'report models';

/**
 * What a metric decides. `choice`: the simplest candidate whose out-of-fold value is within a standard error of the best. `baselines`: the chosen model
 * must beat every baseline by it, on the test rows. `champion`: by it, each on its own test rows, the challenger must not
 * be worse than the champion.
 */
export type MetricDecision = 'choice' | 'baselines' | 'champion';

interface MetricDefinition {
  readonly name: string;
  /** As it reads within a sentence. */
  readonly label: string;
  readonly meaning: string;
  readonly better: 'higher' | 'lower' | 'nearer to 1';
  /** Decimals that are shown, everywhere. */
  readonly digits: number;
  /** Shown in percent. */
  readonly unit?: '%';
  readonly shownIn: readonly MetricPlace[];
  readonly decides: readonly MetricDecision[];
  /** How to read the value, for the head of the report. */
  readonly reading?: string;
  /** Percentage of users, from the top of the ranking, on which it is measured. */
  readonly topPercent?: number;
}

export const METRICS = [
  {
    name: 'auc',
    label: 'AUC',
    meaning: 'area under the ROC curve; ties count half',
    better: 'higher',
    digits: 3,
    shownIn: ['terminal', 'notification', 'report head', 'report models'],
    decides: ['baselines'],
    reading: '0.5 is chance, 1 is certainty',
  },
  {
    name: 'average_precision',
    label: 'average precision',
    meaning: 'area under the precision-recall curve, as a step function',
    better: 'higher',
    digits: 3,
    shownIn: ['terminal'],
    decides: ['baselines'],
  },
  {
    name: 'average_precision_ratio',
    label: 'average precision / base rate',
    meaning: 'average precision divided by that of a random ranking',
    better: 'higher',
    digits: 2,
    shownIn: ['notification', 'report models'],
    decides: ['champion'],
  },
  {
    name: 'lift_at_5',
    label: 'lift at 5%',
    meaning: 'share of cancellers among the top 5% divided by the base rate',
    better: 'higher',
    digits: 2,
    shownIn: [],
    decides: [],
    topPercent: 5,
  },
  {
    name: 'lift_at_10',
    label: 'lift at 10%',
    meaning: 'share of cancellers among the top 10% divided by the base rate',
    better: 'higher',
    digits: 2,
    shownIn: ['terminal', 'notification', 'report head', 'report models'],
    decides: [],
    reading: 'times the cancellers of a random tenth',
    topPercent: 10,
  },
  {
    name: 'lift_at_20',
    label: 'lift at 20%',
    meaning: 'share of cancellers among the top 20% divided by the base rate',
    better: 'higher',
    digits: 2,
    shownIn: [],
    decides: [],
    topPercent: 20,
  },
  {
    name: 'balanced_accuracy',
    label: 'balanced accuracy',
    meaning:
      'mean of the shares of cancellers and of others classified correctly, at the threshold chosen for it',
    better: 'higher',
    digits: 3,
    shownIn: [],
    decides: [],
  },
  {
    name: 'brier',
    label: 'Brier score',
    meaning: 'mean squared error of the probability',
    better: 'lower',
    digits: 4,
    shownIn: [],
    decides: [],
  },
  {
    name: 'brier_skill',
    label: 'Brier skill',
    meaning: '1 - Brier score / Brier score of the base rate',
    better: 'higher',
    digits: 1,
    unit: '%',
    shownIn: ['terminal', 'report models'],
    decides: [],
  },
  {
    name: 'log_loss',
    label: 'log loss',
    meaning: 'mean negative log likelihood',
    better: 'lower',
    digits: 4,
    shownIn: [],
    decides: ['choice'],
  },
  {
    name: 'calibration_error',
    label: 'calibration error',
    meaning: 'expected calibration error over ten bins with equal numbers of users',
    better: 'lower',
    digits: 3,
    shownIn: ['terminal', 'report models'],
    decides: [],
  },
  {
    name: 'calibration_slope',
    label: 'calibration slope',
    meaning: 'slope of the outcome on the log-odds of the probability',
    better: 'nearer to 1',
    digits: 2,
    shownIn: ['report models'],
    decides: [],
  },
] as const satisfies readonly MetricDefinition[];

export type MetricName = (typeof METRICS)[number]['name'];

/** A measure of how good a model is. */
export interface Metric extends MetricDefinition {
  readonly name: MetricName;
}

/** How a threshold is chosen on out-of-fold training scores. */
export const THRESHOLD_RULES = [
  { name: 'best_f1', label: 'Best F1 of the cancelling class' },
  { name: 'best_balanced_accuracy', label: 'Best balanced accuracy' },
] as const;
export type ThresholdRule = (typeof THRESHOLD_RULES)[number]['name'];

/** A forward AUC whose lower bound is above this cannot be honest: promotion is blocked. A setting can change it. */
export const LEAKAGE_AUC = 0.85;
/** The same for the AUC of a single input, at 99.9 %. */
export const LEAKAGE_INPUT_AUC = 0.75;
/** Bins of the score histogram from which every metric is computed. */
export const SCORE_BINS = 10_000;
/** Groups of adjoining scores by which a result describes how a model ranks the test rows. */
export const CURVE_BINS = 200;
/** Bins of equal width by which a result describes the probabilities of the living users. */
export const PROBABILITY_BINS = 2_000;
/** Reasons that a user has at most. */
export const MOST_REASONS = 3;
/** What raises the score by less, in log-odds, does not stand out. */
export const LEAST_REASON = 0.1;
/** Who gets reasons: the list, or so many users, or this share of them, whichever is more. */
export const REASONED_USERS = { least: 5_000, share: 0.1 } as const;
/** Living users of the highest probability that a result holds, for the report's list. */
export const TOP_USERS = 2_200;
