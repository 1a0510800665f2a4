/** Which candidate is chosen: by the log loss of out-of-fold rows, which no candidate's model has seen. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { calibrationType } from './model-description.ts';

export const heldOutLosses = fragment({
  file: import.meta.url,
  needs: [arrays, calibrationType],
  imports: [
    'import dataclasses',
    'from collections.abc import Sequence',
    'import numpy as np',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # Whole users in each, so that the spread between them holds what a user's rows have in common.
    LOSS_PARTS = 200
  `,
  code: python`
    @dataclasses.dataclass(frozen=True)
    class HeldOutLosses:
        """Log loss of out-of-fold rows, and their number, by part of the users."""

        losses: Numbers
        rows: Numbers


    def held_out_losses(scored: DataFrame, calibration: Calibration) -> HeldOutLosses:
        """Takes frames of sample, user_id, label and raw_score."""
        log_odds = calibration["slope"] * F.col("raw_score") + calibration["intercept"]
        loss = F.log1p(F.exp(-F.abs(log_odds))) + F.greatest(log_odds, F.lit(0.0)) - F.col("label") * log_odds
        parts = (
            scored.where("sample = 'out_of_fold'")
            .groupBy(F.pmod(F.xxhash64("user_id"), F.lit(LOSS_PARTS)).alias("part"))
            # A sum of decimals does not depend on the order of its parts.
            .agg(
                F.sum(loss.cast("decimal(20,9)")).cast("double").alias("loss"),
                F.count(F.lit(1)).alias("rows"),
            )
            .collect()
        )
        losses, rows = np.zeros(LOSS_PARTS), np.zeros(LOSS_PARTS)
        for part in parts:
            losses[part.part], rows[part.part] = part.loss, part.rows
        return HeldOutLosses(losses, rows)


    def is_constant(scored: DataFrame) -> bool:
        """Whether a model gives all test rows, or all rows of a fold, one score: then it has learnt nothing there."""
        bounds = scored.groupBy("sample", "fold").agg(
            F.min("raw_score").alias("least"), F.max("raw_score").alias("most"), F.count(F.lit(1)).alias("rows")
        )
        return any(part.least == part.most and part.rows > 1 for part in bounds.collect())


    def simplest_of_the_best(candidates: Sequence[HeldOutLosses]) -> int:
        """The first candidate that is worse than the best by no more than the standard error of their difference."""
        best = min(candidates, key=lambda candidate: float(candidate.losses.sum()))
        rows = best.rows.sum()
        parts = max(int((best.rows > 0).sum()), 2)
        for place, candidate in enumerate(candidates):
            behind = candidate.losses - best.losses
            mean = behind.sum() / rows
            spread = ((behind - mean * best.rows) ** 2).sum() * parts / (parts - 1)
            if mean <= np.sqrt(spread) / rows:
                return place
        return len(candidates) - 1
  `,
});
