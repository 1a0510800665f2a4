/** From a score to a probability that can be believed. */
import { type Python, python } from '../python.ts';

export const calibrationFunctions: Python = python`
  def fit_log_odds(score: numpy.ndarray, positives: numpy.ndarray, negatives: numpy.ndarray) -> dict:
      """Slope and intercept of the log-odds of the outcome on a score."""
      model = WeightedLogisticRegression(C=numpy.inf, solver="newton-cholesky", tol=1e-10)
      outcomes = numpy.repeat([1, 0], len(score))
      model.fit(numpy.tile(score, 2).reshape(-1, 1), outcomes, numpy.concatenate([positives, negatives]))
      return {"slope": float(model.coef_[0, 0]), "intercept": float(model.intercept_[0])}


  def platt_scaling(out_of_fold: Histogram) -> dict:
      """Calibration of a score (Platt 1999, with his smoothed targets, which hold few positives in check)."""
      positives, negatives = out_of_fold.positives.sum(), out_of_fold.negatives.sum()
      high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
      yes = out_of_fold.positives * high + out_of_fold.negatives * low
      no = out_of_fold.rows - yes
      flat = {"slope": 0.0, "intercept": float(numpy.log(yes.sum() / no.sum()))}
      if len(out_of_fold.score) < 2:
          return flat
      fitted = fit_log_odds(out_of_fold.score, yes, no)
      # A score that ranks worse than chance says nothing: a falling probability would contradict the ranking.
      return fitted if fitted["slope"] > 0 else flat


  def probability(calibration: dict, score: numpy.ndarray) -> numpy.ndarray:
      """Calibrated probability to cancel."""
      return 1 / (1 + numpy.exp(-(calibration["slope"] * score + calibration["intercept"])))
`;
