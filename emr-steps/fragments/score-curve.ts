/** How a model ranks the test rows, in few enough groups for a result: ROC, precision and profit are drawn from it. */
import { CURVE_BINS } from '../../domain/models.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { calibration } from './calibration.ts';
import { histograms } from './histograms.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

export const scoreCurve = fragment({
  file: import.meta.url,
  needs: [trainingTypes, arrays, histograms, calibration, storedFigures],
  imports: ['import numpy as np'],
  constants: python`CURVE_BINS = ${CURVE_BINS}`,
  code: python`
    def score_curve(histogram: Histogram, calibration: Calibration) -> list[CurveBin]:
        """Rows in groups of adjoining scores, about equally many in each; rows of one score stay together."""
        rows, positives = histogram.rows[::-1], histogram.positives[::-1]
        predicted = probability(calibration, histogram.score[::-1])
        before = np.cumsum(rows) - rows
        groups = np.minimum(before * CURVE_BINS // rows.sum(), CURVE_BINS - 1).astype(int)

        def summed(values: Numbers) -> Numbers:
            return np.bincount(groups, weights=values, minlength=CURVE_BINS).astype(float)

        users, cancelled, expected = summed(rows), summed(positives), summed(rows * predicted)
        return [
            {
                "predicted": stored(expected[group] / users[group]),
                "users": int(users[group]),
                "cancelled": int(cancelled[group]),
            }
            for group in np.flatnonzero(users)
        ]
  `,
});
