/**
 * Metrics of a model from a histogram of its scores, each with its interval.
 * Ties count half in the AUC; a bin that a top-k boundary cuts counts pro rata.
 * scikit-learn has most of these for one sample of rows at a time. Here they take many resamples of counts at once,
 * and the test compares each of them, and its interval, with scikit-learn.
 */
import { METRICS, type MetricName, type ThresholdRule } from '../../domain/models.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { calibration } from './calibration.ts';
import { histograms } from './histograms.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

/** Names that the script gives its metrics: those of the domain, or this does not compile. */
const NAMES = {
  auc: 'auc',
  averagePrecision: 'average_precision',
  averagePrecisionRatio: 'average_precision_ratio',
  balancedAccuracy: 'balanced_accuracy',
  brier: 'brier',
  brierSkill: 'brier_skill',
  logLoss: 'log_loss',
  calibrationError: 'calibration_error',
  calibrationSlope: 'calibration_slope',
} as const satisfies Readonly<Record<string, MetricName>>;
/** The top shares of the ranking, in percent, by the name of the lift there. */
const LIFTS = Object.fromEntries(
  METRICS.flatMap((metric) => ('topPercent' in metric ? [[metric.name, metric.topPercent]] : [])),
);
const BALANCED_ACCURACY: ThresholdRule = 'best_balanced_accuracy';

export const figures = fragment({
  file: import.meta.url,
  needs: [trainingTypes, arrays, histograms, calibration, storedFigures],
  imports: [
    'import functools',
    'from collections.abc import Callable',
    'from typing import TypeAlias',
    'import numpy as np',
  ],
  constants: python`
    # A metric as a function of positives and negatives by bin, one row for each resample.
    Measure: TypeAlias = Callable[[Numbers, Numbers], Numbers]
    RESAMPLES = 500
    RESAMPLES_AT_ONCE = 50
    INTERVAL = [0.025, 0.975]
    RELIABILITY_BINS = 10
    SLOPE_ITERATIONS = 12
    LONGEST_STEP = 2.0
    LIFTS: dict[MetricName, int] = ${LIFTS}
  `,
  code: python`
    def auc(positives: Numbers, negatives: Numbers) -> Numbers:
        """Area under the ROC curve of each row of counts, bins from the lowest score to the highest."""
        below = np.cumsum(negatives, axis=1) - negatives / 2
        return row_sums(positives * below) / (row_sums(positives) * row_sums(negatives))


    def average_precision(positives: Numbers, negatives: Numbers) -> Numbers:
        """Area under the precision-recall curve as a step function, for each row of counts."""
        falling = positives[:, ::-1]
        caught = np.cumsum(falling, axis=1)
        chosen = caught + np.cumsum(negatives[:, ::-1], axis=1)
        return row_sums(falling * caught / np.maximum(chosen, 1)) / row_sums(positives)


    def lift(positives: Numbers, negatives: Numbers, share: float) -> Numbers:
        """Share of cancellers among the top of the ranking compared with their share of all, for each row of counts."""
        rows = (positives + negatives)[:, ::-1]
        before = np.cumsum(rows, axis=1) - rows
        wanted = share * rows.sum(axis=1, keepdims=True)
        taken = np.clip((wanted - before) / np.maximum(rows, 1), 0, 1)
        return row_sums(positives[:, ::-1] * taken) / row_sums(positives) / share


    def bounded(step: Numbers) -> Numbers:
        """The step, or the longest one in its direction."""
        return np.clip(step, -LONGEST_STEP, LONGEST_STEP)


    def recalibration_slope(positives: Numbers, negatives: Numbers, log_odds: Numbers) -> Numbers:
        """Slope of the outcome on the log-odds of the probability, for each row of counts.

        Newton's method from the probabilities as they are, for all rows at once: a library fits one sample at a time.
        Its steps are bounded: where few cancel, a sample may have no finite slope.
        """
        rows = positives + negatives
        slope, intercept = np.ones(len(rows)), np.zeros(len(rows))
        for _ in range(SLOPE_ITERATIONS):
            expected = 1 / (1 + np.exp(-(slope[:, None] * log_odds + intercept[:, None])))
            surplus, weight = positives - rows * expected, rows * expected * (1 - expected)
            plain, first, second = weight.sum(axis=1), weight @ log_odds, weight @ log_odds**2
            total, leaning = surplus.sum(axis=1), surplus @ log_odds
            determinant = np.maximum(plain * second - first**2, np.finfo(float).tiny)
            slope = slope + bounded((plain * leaning - first * total) / determinant)
            intercept = intercept + bounded((second * total - first * leaning) / determinant)
        return slope


    def equal_count_bins(
        positives: Numbers, negatives: Numbers, predicted: Numbers
    ) -> tuple[Numbers, Numbers, Numbers]:
        """Users, mean probability and share that cancelled, in bins of equally many users."""
        users = positives + negatives
        before = np.concatenate([[0], np.cumsum(users)])
        cuts = np.linspace(0, before[-1], RELIABILITY_BINS + 1)

        def in_bins(amounts: Numbers) -> Numbers:
            return np.diff(np.interp(cuts, before, np.concatenate([[0], np.cumsum(amounts)])))

        in_each = in_bins(users)
        return in_each, in_bins(users * predicted) / in_each, in_bins(positives) / in_each


    def calibration_error(positives: Numbers, negatives: Numbers, predicted: Numbers) -> Numbers:
        """Expected calibration error over bins of equally many users, for each row of counts."""
        errors = []
        for cancelled, stayed in zip(positives, negatives, strict=True):
            users, mean, share = equal_count_bins(cancelled, stayed, predicted)
            errors.append((users * np.abs(mean - share)).sum() / users.sum())
        return np.array(errors)


    def measures(
        histogram: Histogram, calibration: Calibration, thresholds: dict[ThresholdRule, float]
    ) -> dict[MetricName, Measure]:
        """The metrics that can be computed, by name."""
        predicted = probability(calibration, histogram.score)
        log_odds = calibration["slope"] * histogram.score + calibration["intercept"]
        contacted = histogram.lower >= thresholds[${BALANCED_ACCURACY}]

        def base_rate(positives: Numbers, negatives: Numbers) -> Numbers:
            return row_sums(positives) / row_sums(positives + negatives)

        def brier(positives: Numbers, negatives: Numbers) -> Numbers:
            squares = positives @ (1 - predicted) ** 2 + negatives @ predicted**2
            return squares / row_sums(positives + negatives)

        def log_loss(positives: Numbers, negatives: Numbers) -> Numbers:
            surprise: Numbers = positives @ np.log(predicted) + negatives @ np.log1p(-predicted)
            return -surprise / row_sums(positives + negatives)

        def brier_skill(positives: Numbers, negatives: Numbers) -> Numbers:
            rate = base_rate(positives, negatives)
            return 1 - brier(positives, negatives) / (rate * (1 - rate))

        def precision_ratio(positives: Numbers, negatives: Numbers) -> Numbers:
            return average_precision(positives, negatives) / base_rate(positives, negatives)

        def balanced_accuracy(positives: Numbers, negatives: Numbers) -> Numbers:
            recall = row_sums(positives[:, contacted]) / row_sums(positives)
            specificity = row_sums(negatives[:, ~contacted]) / row_sums(negatives)
            return (recall + specificity) / 2

        of_probabilities: dict[MetricName, Measure] = {
            ${NAMES.brier}: brier,
            ${NAMES.logLoss}: log_loss,
            ${NAMES.calibrationError}: functools.partial(calibration_error, predicted=predicted),
        }
        if not histogram.has_both_outcomes:
            return of_probabilities
        of_slope: dict[MetricName, Measure] = {}
        if np.ptp(log_odds) > 0:
            of_slope[${NAMES.calibrationSlope}] = functools.partial(recalibration_slope, log_odds=log_odds)
        return {
            ${NAMES.auc}: auc,
            ${NAMES.averagePrecision}: average_precision,
            ${NAMES.averagePrecisionRatio}: precision_ratio,
            **{name: functools.partial(lift, share=percent / 100) for name, percent in LIFTS.items()},
            ${NAMES.balancedAccuracy}: balanced_accuracy,
            **of_probabilities,
            ${NAMES.brierSkill}: brier_skill,
            **of_slope,
        }


    def resampled(
        histogram: Histogram, named: dict[MetricName, Measure], seed: int
    ) -> dict[MetricName, list[float]]:
        """95 % intervals by resampling users: with one row a user, that is resampling the histogram's counts."""
        generator = np.random.default_rng(seed)
        cells = np.concatenate([histogram.positives, histogram.negatives])
        rows = int(cells.sum())
        values: dict[MetricName, list[Numbers]] = {name: [] for name in named}
        for _ in range(RESAMPLES // RESAMPLES_AT_ONCE):
            draws = generator.multinomial(rows, cells / rows, size=RESAMPLES_AT_ONCE)
            positives, negatives = np.split(draws.astype(float), 2, axis=1)
            # Where both outcomes can be measured, a draw without one of them measures nothing.
            usable = (positives.any(axis=1) & negatives.any(axis=1)) | (not histogram.has_both_outcomes)
            for name, measure in named.items():
                values[name].append(measure(positives[usable], negatives[usable]))
        joined = {name: np.concatenate(parts) for name, parts in values.items()}
        return {name: [stored(end) for end in np.quantile(joined[name], INTERVAL)] for name in joined}


    def figures(
        histogram: Histogram, calibration: Calibration, thresholds: dict[ThresholdRule, float], seed: int
    ) -> dict[MetricName, Estimate]:
        """How well the score ranks, and how far its probabilities can be believed; each with its 95 % interval."""
        named = measures(histogram, calibration, thresholds)
        intervals = resampled(histogram, named, seed)
        counts = histogram.positives.reshape(1, -1), histogram.negatives.reshape(1, -1)
        return {
            name: {"value": stored(measure(*counts)[0]), "low": intervals[name][0], "high": intervals[name][1]}
            for name, measure in named.items()
        }


    def reliability(histogram: Histogram, calibration: Calibration) -> list[ReliabilityBin]:
        """Mean probability and share that cancelled, in bins of equally many users."""
        predicted = probability(calibration, histogram.score)
        bins = equal_count_bins(histogram.positives, histogram.negatives, predicted)
        return [
            {"predicted": stored(mean), "observed": stored(share), "users": stored(count)}
            for count, mean, share in zip(*bins, strict=True)
        ]
  `,
});
