/**
 * How much better one model ranks than another on the same rows, with an interval that knows they are the same.
 * Rows are resampled together with both their scores. Of many rows a sample chosen by a hash is resampled, and the width
 * follows from the square root of their number: what is collected does not grow with the users.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { figures } from './figures.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

export const pairedDifference = fragment({
  file: import.meta.url,
  needs: [trainingTypes, arrays, figures, storedFigures],
  imports: [
    'import dataclasses',
    'from collections.abc import Iterator',
    'import numpy as np',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    PAIRED_ROWS = 20_000
    PAIRED_RESAMPLES = 1_000
    PAIRED_AT_ONCE = 25
  `,
  code: python`
    @dataclasses.dataclass(frozen=True)
    class PairedRows:
        """Rows with the same label and the same two scores, and how many there are of each."""

        label: Numbers
        challenger: Numbers
        champion: Numbers
        rows: Numbers


    def paired_rows(challenger: DataFrame, champion: DataFrame, rows: int) -> PairedRows:
        """Test rows with both scores, from frames of user_id, label and raw_score; a sample where there are many."""
        share = min(1.0, PAIRED_ROWS / rows)
        chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
        theirs = champion.select("user_id", F.col("raw_score").alias("champion"))
        cells = (
            challenger.where(chosen)
            .select("user_id", "label", F.col("raw_score").alias("challenger"))
            .join(theirs, "user_id")
            .groupBy("label", "challenger", "champion")
            .agg(F.count(F.lit(1)).alias("rows"))
            .toPandas()
            .sort_values(["label", "challenger", "champion"])
        )
        label, ours, others, counts = (cells[name].to_numpy(dtype=float) for name in cells.columns)
        return PairedRows(label, ours, others, counts)


    def precision_ratios(score: Numbers, label: Numbers, weights: Numbers) -> Numbers:
        """Average precision over base rate of each row of weights."""
        order = np.argsort(score, kind="stable")
        _, first = np.unique(score[order], return_index=True)
        counts = weights[:, order]
        positives = np.add.reduceat(counts * label[order], first, axis=1)
        rows = np.add.reduceat(counts, first, axis=1)
        return average_precision(positives, rows - positives) * row_sums(rows) / row_sums(positives)


    def resampled_weights(paired: PairedRows, seed: int) -> Iterator[Numbers]:
        """How often each cell is drawn, some resamples at a time; those with both outcomes only."""
        generator = np.random.default_rng(seed)
        total = int(paired.rows.sum())
        for _ in range(PAIRED_RESAMPLES // PAIRED_AT_ONCE):
            draws = generator.multinomial(total, paired.rows / total, size=PAIRED_AT_ONCE).astype(float)
            cancelled = draws @ paired.label
            yield draws[(cancelled > 0) & (cancelled < total)]


    def precision_difference(paired: PairedRows, rows: int, seed: int) -> Estimate | None:
        """Challenger minus champion; none where the rows hold one outcome only.

        @param rows all test rows, of which the paired ones may be a sample
        """
        cancelled = (paired.label * paired.rows).sum()
        if cancelled == 0 or cancelled == paired.rows.sum():
            return None

        def difference(weights: Numbers) -> Numbers:
            ours = precision_ratios(paired.challenger, paired.label, weights)
            return ours - precision_ratios(paired.champion, paired.label, weights)

        value = float(difference(paired.rows.reshape(1, -1))[0])
        drawn = np.concatenate([difference(weights) for weights in resampled_weights(paired, seed)])
        low, high = np.quantile(drawn, INTERVAL)
        narrowing = np.sqrt(paired.rows.sum() / rows)
        return {
            "value": stored(value),
            "low": stored(value + (low - value) * narrowing),
            "high": stored(value + (high - value) * narrowing),
        }
  `,
});
