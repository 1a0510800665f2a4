/** Thresholds found on out-of-fold scores, and what they do to the test rows. */
import type { ThresholdRule } from '../../domain/models.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { calibration } from './calibration.ts';
import { histograms } from './histograms.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

/** What each rule makes as large as it can. */
const RULE_FIGURES: Readonly<Record<ThresholdRule, string>> = {
  best_f1: 'f1',
  best_balanced_accuracy: 'balancedAccuracy',
};

export const decisions = fragment({
  file: import.meta.url,
  needs: [trainingTypes, arrays, histograms, calibration, storedFigures],
  imports: ['import numpy as np'],
  code: python`
    def confusion(histogram: Histogram) -> dict[str, Numbers]:
        """Outcomes when all users from a bin upwards are taken to cancel, for each bin."""
        caught = np.cumsum(histogram.positives[::-1])[::-1]
        alarmed = np.cumsum(histogram.negatives[::-1])[::-1]
        return {
            "truePositives": caught,
            "falsePositives": alarmed,
            "trueNegatives": histogram.negatives.sum() - alarmed,
            "falseNegatives": histogram.positives.sum() - caught,
        }


    def shares(counts: dict[str, Numbers]) -> dict[str, Numbers]:
        """Precision, recall, F1 and balanced accuracy; a share of nothing is 0."""
        caught, alarmed = counts["truePositives"], counts["falsePositives"]
        spared, missed = counts["trueNegatives"], counts["falseNegatives"]

        def share(part: Numbers, whole: Numbers) -> Numbers:
            return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)

        recall, specificity = share(caught, caught + missed), share(spared, spared + alarmed)
        return {
            "precision": share(caught, caught + alarmed),
            "recall": recall,
            "f1": share(2 * caught, 2 * caught + alarmed + missed),
            "balancedAccuracy": (recall + specificity) / 2,
        }


    RULES: dict[ThresholdRule, str] = ${RULE_FIGURES}


    def score_thresholds(out_of_fold: Histogram) -> dict[ThresholdRule, float]:
        """Lowest score that is taken to mean a cancellation, by each rule, from out-of-fold scores alone."""
        figures = shares(confusion(out_of_fold))
        return {rule: float(out_of_fold.lower[np.argmax(figures[figure])]) for rule, figure in RULES.items()}


    def decisions(
        test: Histogram, thresholds: dict[ThresholdRule, float], calibration: Calibration
    ) -> dict[ThresholdRule, Decision]:
        """What each threshold does to the test rows."""
        results: dict[ThresholdRule, Decision] = {}
        for rule, threshold in thresholds.items():
            upper = test.lower >= threshold
            whole = {
                "truePositives": test.positives[upper].sum(),
                "falsePositives": test.negatives[upper].sum(),
                "trueNegatives": test.negatives[~upper].sum(),
                "falseNegatives": test.positives[~upper].sum(),
            }
            counts = {name: np.array([count]) for name, count in whole.items()}
            figures = {name: float(values[0]) for name, values in {**counts, **shares(counts)}.items()}
            results[rule] = {
                "threshold": stored(probability(calibration, np.asarray(threshold))),
                "truePositives": figures["truePositives"],
                "falsePositives": figures["falsePositives"],
                "trueNegatives": figures["trueNegatives"],
                "falseNegatives": figures["falseNegatives"],
                "precision": figures["precision"],
                "recall": figures["recall"],
                "f1": figures["f1"],
                "balancedAccuracy": figures["balancedAccuracy"],
            }
        return results
  `,
});
