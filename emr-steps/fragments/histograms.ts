/** From scored rows to histograms of the score: what is collected does not grow with the number of users. */
import { SCORE_BINS } from '../../domain/models.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { census } from './census.ts';

export const histograms = fragment({
  file: import.meta.url,
  needs: [arrays, census],
  imports: [
    'import dataclasses',
    'import numpy as np',
    'from pyspark.sql import DataFrame, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`SCORE_BINS = ${SCORE_BINS}`,
  code: python`
    @dataclasses.dataclass(frozen=True)
    class Histogram:
        """Rows by score, lowest first, in bins that hold at least one row."""

        lower: Numbers
        score: Numbers
        positives: Numbers
        negatives: Numbers

        @property
        def rows(self) -> Numbers:
            """Rows in each bin."""
            return self.positives + self.negatives

        @property
        def has_both_outcomes(self) -> bool:
            """Whether some users cancelled and some did not: otherwise nothing can be ranked."""
            return bool(self.positives.any() and self.negatives.any())


    def score_histograms(scored: DataFrame) -> dict[str, Histogram]:
        """One histogram for each sample of the rows: a bin for each score, or for quantiles where they are too many.

        Quantiles are those of all samples together: bins at those of one would be too wide where another has its rows.
        """
        by_score = scored.groupBy("raw_score", "sample").agg(
            F.count(F.lit(1)).alias("rows"), F.sum("label").alias("positives")
        )
        # One task orders the distinct scores; everything before and after it is spread.
        upwards = Window.orderBy("raw_score").rangeBetween(Window.unboundedPreceding, Window.currentRow)
        reached = F.sum("rows").over(upwards) / F.sum("rows").over(Window.partitionBy())
        scores = F.count(F.lit(1)).over(Window.partitionBy("sample"))
        lowest = F.min("raw_score").over(Window.partitionBy("quantile"))
        # Sums of decimals do not depend on the order in which tasks finish.
        weighted = F.col("raw_score").cast("decimal(20,9)") * F.col("rows")
        bins = (
            by_score.withColumn("quantile", F.floor(reached * SCORE_BINS))
            .withColumn("lower", F.when(scores <= SCORE_BINS, F.col("raw_score")).otherwise(lowest))
            .groupBy("sample", "lower")
            .agg(
                F.sum("rows").alias("rows"),
                F.sum("positives").alias("positives"),
                (F.sum(weighted).cast("double") / F.sum("rows")).alias("score"),
            )
            .toPandas()
            .sort_values("lower")
        )
        return {
            str(sample): Histogram(
                lower=part["lower"].to_numpy(dtype=float),
                score=part["score"].to_numpy(dtype=float),
                positives=part["positives"].to_numpy(dtype=float),
                negatives=(part["rows"] - part["positives"]).to_numpy(dtype=float),
            )
            for sample, part in bins.groupby("sample")
        }


    def histogram_of(scored: DataFrame) -> Histogram:
        """The histogram of test rows alone, in bins at the quantiles of their own scores."""
        return score_histograms(scored.select(F.lit("out_of_fold").alias("sample"), "label", "raw_score"))[
            "out_of_fold"
        ]


    def constant_histograms(counts: dict[str, Census]) -> dict[str, Histogram]:
        """The histograms of a model that gives all users the same score."""

        def one_bin(part: Census) -> Histogram:
            cancellations = np.array([float(part["cancellations"])])
            return Histogram(np.zeros(1), np.zeros(1), cancellations, part["rows"] - cancellations)

        return {"out_of_fold": one_bin(counts["train"]), "test": one_bin(counts["test"])}
  `,
});
