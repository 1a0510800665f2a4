/** The models that compete, the trivial ones they must beat, and the figures by which all are judged. */

/** A model that can be chosen. */
export const CANDIDATES = [
  { name: 'logistic_regression', label: 'Logistic regression' },
  { name: 'random_forest', label: 'Random forest' },
  { name: 'boosted_trees', label: 'Gradient-boosted trees' },
] as const;

/** A model that any candidate must beat to be worth having. */
export const BASELINES = [
  { name: 'base_rate', label: 'Base rate' },
  { name: 'days_since_last_seen', label: 'Days since last seen' },
] as const;

export type CandidateName = (typeof CANDIDATES)[number]['name'];
export type BaselineName = (typeof BASELINES)[number]['name'];
export type ModelName = CandidateName | BaselineName;

/** A figure: how it reads, and which way is better. */
export interface Metric {
  readonly name: string;
  readonly label: string;
  readonly better: 'higher' | 'lower' | 'nearer to 1';
  readonly meaning: string;
}

export const METRICS = [
  { name: 'auc', label: 'AUC', better: 'higher', meaning: 'area under the ROC curve; ties count half' },
  {
    name: 'average_precision',
    label: 'Average precision',
    better: 'higher',
    meaning: 'area under the precision-recall curve, as a step function',
  },
  {
    name: 'average_precision_ratio',
    label: 'Average precision / base rate',
    better: 'higher',
    meaning: 'average precision against that of a random order',
  },
  {
    name: 'lift_at_5',
    label: 'Lift at 5 %',
    better: 'higher',
    meaning: 'share of cancellers among the top 5 % against the base rate',
  },
  {
    name: 'lift_at_10',
    label: 'Lift at 10 %',
    better: 'higher',
    meaning: 'share of cancellers among the top 10 % against the base rate',
  },
  {
    name: 'lift_at_20',
    label: 'Lift at 20 %',
    better: 'higher',
    meaning: 'share of cancellers among the top 20 % against the base rate',
  },
  {
    name: 'balanced_accuracy',
    label: 'Balanced accuracy',
    better: 'higher',
    meaning: 'mean of the shares of cancellers and of others told right, at the threshold chosen for it',
  },
  { name: 'brier', label: 'Brier score', better: 'lower', meaning: 'mean squared error of the probability' },
  {
    name: 'brier_skill',
    label: 'Brier skill',
    better: 'higher',
    meaning: '1 - Brier score / Brier score of the base rate',
  },
  { name: 'log_loss', label: 'Log loss', better: 'lower', meaning: 'mean negative log likelihood' },
  {
    name: 'calibration_error',
    label: 'Calibration error',
    better: 'lower',
    meaning: 'expected calibration error over ten equal-count bins',
  },
  {
    name: 'calibration_slope',
    label: 'Calibration slope',
    better: 'nearer to 1',
    meaning: 'slope of the outcome on the log-odds of the probability',
  },
] as const satisfies readonly Metric[];

export type MetricName = (typeof METRICS)[number]['name'];

/** How a threshold is chosen on out-of-fold training scores. */
export const THRESHOLD_RULES = [
  { name: 'best_f1', label: 'Best F1 of the cancelling class' },
  { name: 'best_balanced_accuracy', label: 'Best balanced accuracy' },
] as const;
export type ThresholdRule = (typeof THRESHOLD_RULES)[number]['name'];

/** A forward AUC whose lower bound lies above this cannot be honest: promotion is blocked. */
export const LEAKAGE_AUC = 0.85;
/** Bins of the score histogram from which every figure is computed. */
export const SCORE_BINS = 10_000;
