/** From scored rows to histograms of the score: what is collected does not grow with the number of users. */
import { SCORE_BINS } from '../../domain/models.ts';
import { type Python, python } from '../python.ts';

export const histogramFunctions: Python = python`
  SCORE_BINS = ${SCORE_BINS}


  @dataclasses.dataclass(frozen=True)
  class Histogram:
      """Rows by score, lowest first, in bins that hold at least one row."""

      lower: numpy.ndarray
      score: numpy.ndarray
      positives: numpy.ndarray
      negatives: numpy.ndarray

      @property
      def rows(self) -> numpy.ndarray:
          """Rows in each bin."""
          return self.positives + self.negatives

      @property
      def has_both_outcomes(self) -> bool:
          """Says whether somebody cancelled and somebody did not: without, nothing can be ranked."""
          return self.positives.sum() > 0 and self.negatives.sum() > 0


  def score_histograms(scored: DataFrame) -> dict[str, Histogram]:
      """One histogram for each sample of the rows, in bins at the quantiles of the out-of-fold scores."""
      held_out = functions.when(functions.col("sample") == "out_of_fold", 1).otherwise(0)
      by_score = scored.groupBy("raw_score", "sample").agg(
          functions.count(functions.lit(1)).alias("rows"),
          functions.sum("label").alias("positives"),
          functions.sum(held_out).alias("quantile_rows"),
      )
      # One task orders the distinct scores; everything before and after it is spread.
      upwards = Window.orderBy("raw_score").rangeBetween(Window.unboundedPreceding, Window.currentRow)
      everything = Window.partitionBy()
      reached = functions.sum("quantile_rows").over(upwards) / functions.sum("quantile_rows").over(everything)
      # Sums of decimals do not depend on the order in which tasks end.
      weighted = functions.col("raw_score").cast("decimal(20,9)") * functions.col("rows")
      bins = (
          by_score.withColumn("bin", functions.floor(reached * SCORE_BINS))
          .withColumn("lower", functions.min("raw_score").over(Window.partitionBy("bin")))
          .groupBy("sample", "bin", "lower")
          .agg(
              functions.sum("rows").alias("rows"),
              functions.sum("positives").alias("positives"),
              (functions.sum(weighted).cast("double") / functions.sum("rows")).alias("score"),
          )
          .toPandas()
          .sort_values("bin")
      )
      return {
          sample: Histogram(
              lower=part["lower"].to_numpy(dtype=float),
              score=part["score"].to_numpy(dtype=float),
              positives=part["positives"].to_numpy(dtype=float),
              negatives=(part["rows"] - part["positives"]).to_numpy(dtype=float),
          )
          for sample, part in bins.groupby("sample")
      }


  def constant_histograms(counts: dict[str, dict]) -> dict[str, Histogram]:
      """The histograms of a model that gives everybody the same score."""

      def one_bin(part: dict) -> Histogram:
          cancellations = numpy.array([float(part["cancellations"])])
          return Histogram(numpy.zeros(1), numpy.zeros(1), cancellations, part["rows"] - cancellations)

      return {"out_of_fold": one_bin(counts["train"]), "test": one_bin(counts["test"])}
`;
