/** Thresholds found on out-of-fold scores, and what they do to the test rows. */
import type { ThresholdRule } from '../../domain/models.ts';
import { type Python, python } from '../python.ts';

/** What each rule makes as large as it can. */
const RULE_FIGURES: Readonly<Record<ThresholdRule, string>> = {
  best_f1: 'f1',
  best_balanced_accuracy: 'balancedAccuracy',
};

export const decisionFunctions: Python = python`
  def confusion(histogram: Histogram) -> dict[str, numpy.ndarray]:
      """Outcomes when everybody from a bin upwards is taken to cancel, for each bin."""
      caught = numpy.cumsum(histogram.positives[::-1])[::-1]
      alarmed = numpy.cumsum(histogram.negatives[::-1])[::-1]
      return {
          "truePositives": caught,
          "falsePositives": alarmed,
          "trueNegatives": histogram.negatives.sum() - alarmed,
          "falseNegatives": histogram.positives.sum() - caught,
      }


  def shares(counts: dict[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
      """Precision, recall, F1 and balanced accuracy; a share of nothing is 0."""
      caught, alarmed = counts["truePositives"], counts["falsePositives"]
      spared, missed = counts["trueNegatives"], counts["falseNegatives"]

      def share(part: numpy.ndarray, whole: numpy.ndarray) -> numpy.ndarray:
          return numpy.divide(part, whole, out=numpy.zeros_like(part), where=whole > 0)

      recall, specificity = share(caught, caught + missed), share(spared, spared + alarmed)
      return {
          "precision": share(caught, caught + alarmed),
          "recall": recall,
          "f1": share(2 * caught, 2 * caught + alarmed + missed),
          "balancedAccuracy": (recall + specificity) / 2,
      }


  RULES = ${RULE_FIGURES}


  def score_thresholds(out_of_fold: Histogram) -> dict[str, float]:
      """Lowest score that is taken to mean a cancellation, by each rule, from out-of-fold scores alone."""
      figures = shares(confusion(out_of_fold))
      return {rule: float(out_of_fold.lower[numpy.argmax(figures[figure])]) for rule, figure in RULES.items()}


  def decisions(test: Histogram, thresholds: dict[str, float], calibration: dict) -> dict[str, dict]:
      """What each threshold does to the test rows."""
      results = {}
      for rule, threshold in thresholds.items():
          upper = test.lower >= threshold
          whole = {
              "truePositives": test.positives[upper].sum(),
              "falsePositives": test.negatives[upper].sum(),
              "trueNegatives": test.negatives[~upper].sum(),
              "falseNegatives": test.positives[~upper].sum(),
          }
          counts = {name: numpy.array([count]) for name, count in whole.items()}
          figures = {**counts, **shares(counts)}
          results[rule] = {
              "threshold": float(probability(calibration, threshold)),
              **{name: float(values[0]) for name, values in figures.items()},
          }
      return results
`;
