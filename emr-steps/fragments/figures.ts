/**
 * Figures of a model from a histogram of its scores.
 * Ties count half in the AUC; a bin that a top-k boundary cuts counts pro rata.
 */
import { type Python, python } from '../python.ts';

export const figureFunctions: Python = python`
  RESAMPLES = 500
  RESAMPLES_AT_ONCE = 50
  INTERVAL = [0.025, 0.975]
  RELIABILITY_BINS = 10


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


  def resampled(histogram: Histogram, measures: dict, seed: int) -> dict[str, list[float]]:
      """95 % intervals by resampling users: with one row a user, that is resampling the histogram's counts."""
      generator = numpy.random.default_rng(seed)
      cells = numpy.concatenate([histogram.positives, histogram.negatives])
      rows = int(cells.sum())
      values: dict[str, list] = {name: [] for name in measures}
      for _ in range(RESAMPLES // RESAMPLES_AT_ONCE):
          draws = generator.multinomial(rows, cells / rows, size=RESAMPLES_AT_ONCE)
          positives, negatives = numpy.split(draws, 2, axis=1)
          both = (positives.sum(axis=1) > 0) & (negatives.sum(axis=1) > 0)
          for name, measure in measures.items():
              values[name].append(measure(positives[both], negatives[both]))
      joined = {name: numpy.concatenate(parts) for name, parts in values.items()}
      return {name: numpy.quantile(figures, INTERVAL).tolist() for name, figures in joined.items()}


  def ranking_figures(histogram: Histogram, seed: int) -> dict[str, dict]:
      """How well the score puts those who cancel first."""
      bins, weights = numpy.arange(len(histogram.score)), [histogram.positives, histogram.negatives]
      sample = {
          "y_true": numpy.repeat([1, 0], len(bins)),
          "y_score": numpy.tile(bins, 2),
          "sample_weight": numpy.concatenate(weights),
      }
      counts = [weight.reshape(1, -1) for weight in weights]
      base_rate = histogram.positives.sum() / histogram.rows.sum()
      precision = float(metrics.average_precision_score(**sample))
      values = {
          "auc": float(metrics.roc_auc_score(**sample)),
          "average_precision": precision,
          "average_precision_ratio": precision / base_rate,
          **{f"lift_at_{top}": float(lift(*counts, top / 100)[0]) for top in (5, 10, 20)},
      }
      intervals = resampled(
          histogram,
          {
              "auc": auc,
              "average_precision": average_precision,
              "average_precision_ratio": lambda positives, negatives: (
                  average_precision(positives, negatives)
                  * (positives + negatives).sum(axis=1)
                  / positives.sum(axis=1)
              ),
              "lift_at_10": lambda positives, negatives: lift(positives, negatives, 0.1),
          },
          seed,
      )
      return {name: estimate(value, intervals.get(name)) for name, value in values.items()}


  def probability_figures(histogram: Histogram, calibration: dict) -> dict[str, dict]:
      """How far the probabilities can be believed; what cannot be computed is left out."""
      predicted = probability(calibration, histogram.score)
      sample = {
          "y_true": numpy.repeat([1, 0], len(predicted)),
          "y_proba": numpy.tile(predicted, 2),
          "sample_weight": numpy.concatenate([histogram.positives, histogram.negatives]),
      }
      base_rate = histogram.positives.sum() / histogram.rows.sum()
      brier = float(metrics.brier_score_loss(**sample))
      bins = reliability(histogram, calibration)
      values = {
          "brier": brier,
          "log_loss": float(
              metrics.log_loss(sample["y_true"], sample["y_proba"], sample_weight=sample["sample_weight"])
          ),
          "calibration_error": float(
              sum(entry["users"] * abs(entry["predicted"] - entry["observed"]) for entry in bins)
              / histogram.rows.sum()
          ),
      }
      if histogram.has_both_outcomes:
          values["brier_skill"] = 1 - brier / (base_rate * (1 - base_rate))
          log_odds = calibration["slope"] * histogram.score + calibration["intercept"]
          if numpy.ptp(log_odds) > 0:
              slope = fit_log_odds(log_odds, histogram.positives, histogram.negatives)["slope"]
              values["calibration_slope"] = slope
      return {name: estimate(value, None) for name, value in values.items()}


  def reliability(histogram: Histogram, calibration: dict) -> list[dict]:
      """Mean probability and share that cancelled, in bins of equally many users."""
      rows = numpy.concatenate([[0], numpy.cumsum(histogram.rows)])
      cuts = numpy.linspace(0, rows[-1], RELIABILITY_BINS + 1)

      def in_bins(amounts: numpy.ndarray) -> numpy.ndarray:
          return numpy.diff(numpy.interp(cuts, rows, numpy.concatenate([[0], numpy.cumsum(amounts)])))

      users = in_bins(histogram.rows)
      predicted = in_bins(histogram.rows * probability(calibration, histogram.score)) / users
      observed = in_bins(histogram.positives) / users
      return [
          {"predicted": float(mean), "observed": float(share), "users": float(count)}
          for mean, share, count in zip(predicted, observed, users, strict=True)
      ]


  def estimate(value: float, interval: list[float] | None) -> dict:
      """A figure with its 95 % interval, where there is one."""
      low, high = interval or (None, None)
      return {"value": value, "low": low, "high": high}
`;
