/** From a score to a calibrated probability. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { histograms } from './histograms.ts';
import { calibrationType } from './model-description.ts';
import { storedFigures } from './stored-figures.ts';

export const calibration = fragment({
  file: import.meta.url,
  needs: [arrays, histograms, calibrationType, storedFigures],
  imports: [
    'import numpy as np',
    'from sklearn.linear_model import LogisticRegression as WeightedLogisticRegression',
  ],
  code: python`
    def fit_log_odds(score: Numbers, positives: Numbers, negatives: Numbers) -> Calibration:
        """Slope and intercept of the log-odds of the outcome on a score."""
        model = WeightedLogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
        outcomes = np.repeat([1, 0], len(score))
        model.fit(np.tile(score, 2).reshape(-1, 1), outcomes, np.concatenate([positives, negatives]))
        return {"slope": stored(model.coef_[0, 0]), "intercept": stored(model.intercept_[0])}


    def platt_scaling(out_of_fold: Histogram) -> Calibration:
        """Calibration of a score (Platt 1999, with his smoothed targets, which hold few positives in check)."""
        positives, negatives = out_of_fold.positives.sum(), out_of_fold.negatives.sum()
        high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
        yes = out_of_fold.positives * high + out_of_fold.negatives * low
        no = out_of_fold.rows - yes
        flat: Calibration = {"slope": 0.0, "intercept": stored(np.log(yes.sum() / no.sum()))}
        if len(out_of_fold.score) < 2:
            return flat
        fitted = fit_log_odds(out_of_fold.score, yes, no)
        # A score that ranks worse than chance says nothing: a falling probability would contradict the ranking.
        return fitted if fitted["slope"] > 0 else flat


    def probability(calibration: Calibration, score: Numbers) -> Numbers:
        """Calibrated probability to cancel."""
        return 1 / (1 + np.exp(-(calibration["slope"] * score + calibration["intercept"])))
  `,
});
