/** The settings by which models are trained where no run's plan has them. */
export const TRAINING = {
  seed: 1,
  folds: 5,
  horizonDays: 14,
  cutoffStepDays: 5,
  maxCutoffs: 26,
  minHistoryDays: 14,
  minDailyShare: 0.05,
  observationEnd: null,
  cutoffAnchor: null,
};
