/**
 * Drift: how far the users at the scoring cutoff are from those on whom the model was tested.
 * Both are counted in tenths of the test rows. A value belongs to the tenth that holds the middle of the rows that have
 * it: a value of many rows keeps to itself, so that an indicator that is mostly 1 cannot turn 0 unseen.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { histograms } from './histograms.ts';
import { modelDescription } from './model-description.ts';
import { scoringTypes } from './types.ts';

const TENTHS = 10;

/** What a later cutoff's scores are compared with (train-models only). */
export const scoreBins = fragment({
  file: import.meta.url,
  needs: [histograms, modelDescription],
  imports: ['import numpy as np'],
  constants: python`SCORE_TENTHS = ${TENTHS}`,
  code: python`
    def score_bins(test: Histogram) -> ScoreBins:
        """Tenths of the test rows by score: the lowest score of each but the first, and the rows of each."""
        middle = np.cumsum(test.rows) - test.rows / 2
        tenth = np.floor(SCORE_TENTHS * middle / test.rows.sum())
        _, first = np.unique(tenth, return_index=True)
        rows = np.add.reduceat(test.rows, first)
        return {"starts": test.lower[first[1:]].tolist(), "rows": [int(count) for count in rows]}
  `,
});

/** The stability index of the features and of the score (score-users only). */
export const drift = fragment({
  file: import.meta.url,
  needs: [scoringTypes, modelDescription],
  imports: [
    'import itertools',
    'import math',
    'from pyspark.sql import Column, DataFrame, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    TENTHS = ${TENTHS}
    # About so many users of each cutoff, chosen by a hash, are enough: chance hardly moves their index by .01.
    DRIFT_USERS = 5_000
    EMPTY_BIN_ROWS = 0.5
    INDEX_DECIMALS = 6
  `,
  code: python`
    def stability_index(bins: list[tuple[int, int]]) -> float:
        """Population stability index of tested and scored rows by bin: the sum of (s - t) ln(s / t) over shares.

        It is the symmetric divergence of Kullback and Leibler (Ann. Math. Statist. 22, 1951). An empty bin counts as
        half a row, so that the index stays finite; one that is empty on both sides counts for nothing. Where a side
        has no rows at all there is nothing to compare.
        """
        tested, scored = sum(before for before, _ in bins), sum(after for _, after in bins)
        if tested == 0 or scored == 0:
            return 0.0
        shares = [
            (max(before, EMPTY_BIN_ROWS) / tested, max(after, EMPTY_BIN_ROWS) / scored)
            for before, after in bins
            if before or after
        ]
        index = math.fsum((after - before) * math.log(after / before) for before, after in shares)
        return round(index, INDEX_DECIMALS)


    def feature_drift(features: DataFrame, names: list[str], tested_users: int) -> list[FeatureDrift]:
        """Each feature's stability index between the test and the scoring cutoff, largest first; one job for all."""
        share = min(1.0, DRIFT_USERS / tested_users)
        chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
        values = (
            features.where("role IN ('test', 'score')")
            .where(chosen)
            .select("role", F.posexplode(F.array(*names)).alias("feature", "value"))
        )
        rows = [F.count_if(F.col("role") == role).alias(role) for role in ("test", "score")]
        known = Window.partitionBy("feature", F.isnull("value"))
        middle = F.sum("test").over(known.orderBy("value")) - F.col("test") / 2
        rank = middle / F.sum("test").over(known)
        # Where no test row has a value there is no rank: least() passes over it, so known values get the last tenth.
        tenth = F.least(F.floor(TENTHS * rank), F.lit(TENTHS - 1))
        # A missing value has a bin of its own.
        bin_of_value = F.when(F.col("value").isNotNull(), tenth)
        bins = (
            values.groupBy("feature", "value")
            .agg(*rows)
            .withColumn("bin", bin_of_value)
            .groupBy("feature", "bin")
            .agg(F.sum("test").alias("test"), F.sum("score").alias("score"))
        )
        counts: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
        for row in bins.collect():
            counts[names[row.feature]].append((row.test, row.score))
        drift: list[FeatureDrift] = [{"feature": name, "psi": stability_index(counts[name])} for name in names]
        return sorted(drift, key=lambda entry: (-entry["psi"], entry["feature"]))


    def reaching(starts: list[float]) -> Column:
        """How many users' scores reach each start: an aggregate."""
        return F.array(*(F.count_if(F.col("raw_score") >= start) for start in starts))


    def score_drift(test_scores: ScoreBins, users: int, reached: list[int]) -> float:
        """The score's stability index, from how many users reach each tenth's start."""
        scored = [more - fewer for more, fewer in itertools.pairwise([users, *reached, 0])]
        return stability_index(list(zip(test_scores["rows"], scored, strict=True)))
  `,
});
