/**
 * Figures of a model from a histogram of its scores, each with its interval.
 * Ties count half in the AUC; a bin that a top-k boundary cuts counts pro rata.
 * scikit-learn has most of these for one sample of rows at a time. Here they take many resamples of counts at once,
 * and the test holds each of them, and its interval, against scikit-learn.
 */
import type { MetricName, ThresholdRule } from '../../domain/models.ts';
import { type Python, python } from '../python.ts';

/** Names that the script gives its figures: those of the domain, or it does not compile. */
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
const LIFTS: Readonly<Partial<Record<MetricName, number>>> = { lift_at_5: 5, lift_at_10: 10, lift_at_20: 20 };
const BALANCED_ACCURACY: ThresholdRule = 'best_balanced_accuracy';

export const figureFunctions: Python = python`
  RESAMPLES = 500
  RESAMPLES_AT_ONCE = 50
  INTERVAL = [0.025, 0.975]
  RELIABILITY_BINS = 10
  SLOPE_ITERATIONS = 12
  LONGEST_STEP = 2.0
  LIFTS = ${LIFTS}


  def auc(positives: numpy.ndarray, negatives: numpy.ndarray) -> numpy.ndarray:
      """Area under the ROC curve of each row of counts, bins from the lowest score to the highest."""
      below = numpy.cumsum(negatives, axis=1) - negatives / 2
      return (positives * below).sum(axis=1) / (positives.sum(axis=1) * negatives.sum(axis=1))


  def average_precision(positives: numpy.ndarray, negatives: numpy.ndarray) -> numpy.ndarray:
      """Area under the precision-recall curve as a step function, for each row of counts."""
      falling = positives[:, ::-1]
      caught = numpy.cumsum(falling, axis=1)
      chosen = caught + numpy.cumsum(negatives[:, ::-1], axis=1)
      return (falling * caught / numpy.maximum(chosen, 1)).sum(axis=1) / positives.sum(axis=1)


  def lift(positives: numpy.ndarray, negatives: numpy.ndarray, share: float) -> numpy.ndarray:
      """Share of cancellers among the top of the ranking against their share of all, for each row of counts."""
      rows = (positives + negatives)[:, ::-1]
      before = numpy.cumsum(rows, axis=1) - rows
      wanted = share * rows.sum(axis=1, keepdims=True)
      taken = numpy.clip((wanted - before) / numpy.maximum(rows, 1), 0, 1)
      return (positives[:, ::-1] * taken).sum(axis=1) / positives.sum(axis=1) / share


  def bounded(step: numpy.ndarray) -> numpy.ndarray:
      """The step, or the longest one in its direction."""
      return numpy.clip(step, -LONGEST_STEP, LONGEST_STEP)


  def recalibration_slope(
      positives: numpy.ndarray, negatives: numpy.ndarray, log_odds: numpy.ndarray
  ) -> numpy.ndarray:
      """Slope of the outcome on the log-odds of the probability, for each row of counts.

      Newton's method from the probabilities as they are, for all rows at once: a library fits one sample at a time.
      Its steps are bounded: where few cancel, a sample may have no finite slope.
      """
      rows = positives + negatives
      slope, intercept = numpy.ones(len(rows)), numpy.zeros(len(rows))
      for _ in range(SLOPE_ITERATIONS):
          expected = 1 / (1 + numpy.exp(-(slope[:, None] * log_odds + intercept[:, None])))
          surplus, weight = positives - rows * expected, rows * expected * (1 - expected)
          plain, first, second = weight.sum(axis=1), weight @ log_odds, weight @ log_odds**2
          total, leaning = surplus.sum(axis=1), surplus @ log_odds
          determinant = numpy.maximum(plain * second - first**2, numpy.finfo(float).tiny)
          slope = slope + bounded((plain * leaning - first * total) / determinant)
          intercept = intercept + bounded((second * total - first * leaning) / determinant)
      return slope


  def equal_count_bins(
      positives: numpy.ndarray, negatives: numpy.ndarray, predicted: numpy.ndarray
  ) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
      """Users, mean probability and share that cancelled, in bins of equally many users."""
      users = positives + negatives
      before = numpy.concatenate([[0], numpy.cumsum(users)])
      cuts = numpy.linspace(0, before[-1], RELIABILITY_BINS + 1)

      def in_bins(amounts: numpy.ndarray) -> numpy.ndarray:
          return numpy.diff(numpy.interp(cuts, before, numpy.concatenate([[0], numpy.cumsum(amounts)])))

      in_each = in_bins(users)
      return in_each, in_bins(users * predicted) / in_each, in_bins(positives) / in_each


  def calibration_error(
      positives: numpy.ndarray, negatives: numpy.ndarray, predicted: numpy.ndarray
  ) -> numpy.ndarray:
      """Expected calibration error over bins of equally many users, for each row of counts."""
      errors = []
      for cancelled, stayed in zip(positives, negatives, strict=True):
          users, mean, share = equal_count_bins(cancelled, stayed, predicted)
          errors.append((users * numpy.abs(mean - share)).sum() / users.sum())
      return numpy.array(errors)


  def measures(histogram: Histogram, calibration: dict, thresholds: dict[str, float]) -> dict:
      """The figures that can be computed, by name: each takes rows of positives and negatives in the bins."""
      predicted = probability(calibration, histogram.score)
      log_odds = calibration["slope"] * histogram.score + calibration["intercept"]
      contacted = histogram.lower >= thresholds[${BALANCED_ACCURACY}]

      def base_rate(positives, negatives):
          return positives.sum(axis=1) / (positives + negatives).sum(axis=1)

      def brier(positives, negatives):
          squares = positives @ (1 - predicted) ** 2 + negatives @ predicted**2
          return squares / (positives + negatives).sum(axis=1)

      def log_loss(positives, negatives):
          surprise = positives @ numpy.log(predicted) + negatives @ numpy.log1p(-predicted)
          return -surprise / (positives + negatives).sum(axis=1)

      def brier_skill(positives, negatives):
          rate = base_rate(positives, negatives)
          return 1 - brier(positives, negatives) / (rate * (1 - rate))

      def precision_ratio(positives, negatives):
          return average_precision(positives, negatives) / base_rate(positives, negatives)

      def balanced_accuracy(positives, negatives):
          recall = positives[:, contacted].sum(axis=1) / positives.sum(axis=1)
          specificity = negatives[:, ~contacted].sum(axis=1) / negatives.sum(axis=1)
          return (recall + specificity) / 2

      of_probabilities = {
          ${NAMES.brier}: brier,
          ${NAMES.logLoss}: log_loss,
          ${NAMES.calibrationError}: functools.partial(calibration_error, predicted=predicted),
      }
      if not histogram.has_both_outcomes:
          return of_probabilities
      of_slope = {}
      if numpy.ptp(log_odds) > 0:
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


  def resampled(histogram: Histogram, named: dict, seed: int) -> dict[str, list[float]]:
      """95 % intervals by resampling users: with one row a user, that is resampling the histogram's counts."""
      generator = numpy.random.default_rng(seed)
      cells = numpy.concatenate([histogram.positives, histogram.negatives])
      rows = int(cells.sum())
      values: dict[str, list] = {name: [] for name in named}
      for _ in range(RESAMPLES // RESAMPLES_AT_ONCE):
          draws = generator.multinomial(rows, cells / rows, size=RESAMPLES_AT_ONCE)
          positives, negatives = numpy.split(draws.astype(float), 2, axis=1)
          # Where both outcomes are there to be measured, a draw without one of them measures nothing.
          usable = (positives.any(axis=1) & negatives.any(axis=1)) | (not histogram.has_both_outcomes)
          for name, measure in named.items():
              values[name].append(measure(positives[usable], negatives[usable]))
      joined = {name: numpy.concatenate(parts) for name, parts in values.items()}
      return {name: numpy.quantile(figures, INTERVAL).tolist() for name, figures in joined.items()}


  def figures(
      histogram: Histogram, calibration: dict, thresholds: dict[str, float], seed: int
  ) -> dict[str, dict]:
      """How well the score ranks, and how far its probabilities can be believed; each with its 95 % interval."""
      named = measures(histogram, calibration, thresholds)
      intervals = resampled(histogram, named, seed)
      counts = histogram.positives.reshape(1, -1), histogram.negatives.reshape(1, -1)
      return {
          name: {"value": float(measure(*counts)[0]), "low": intervals[name][0], "high": intervals[name][1]}
          for name, measure in named.items()
      }


  def reliability(histogram: Histogram, calibration: dict) -> list[dict]:
      """Mean probability and share that cancelled, in bins of equally many users."""
      predicted = probability(calibration, histogram.score)
      bins = equal_count_bins(histogram.positives, histogram.negatives, predicted)
      return [
          {"predicted": float(mean), "observed": float(share), "users": float(count)}
          for count, mean, share in zip(*bins, strict=True)
      ]
`;
