/**
 * Drift: how far the users at the scoring cutoff are from those on whom the model was tested.
 * Both are counted in tenths of the test rows, which are kept with the model. A value belongs to the tenth that holds the
 * middle of the test rows that have it: a value of many rows keeps to itself, so that an indicator that is mostly 1 cannot
 * turn 0 unseen.
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

/** Which users are counted for the drift of the features: the same in training and scoring. */
const driftSample = fragment({
  file: import.meta.url,
  imports: ['from pyspark.sql import Column', 'from pyspark.sql import functions as F'],
  constants: python`
    # About so many users of each cutoff, chosen by a hash, are enough: chance hardly moves their index by .01.
    DRIFT_USERS = 5_000
  `,
  code: python`
    def is_in_drift_sample(tested_users: int) -> Column:
        """Whether a user is counted: as large a share of all users as is needed of those who were tested."""
        share = min(1.0, DRIFT_USERS / max(tested_users, 1))
        return F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
  `,
});

/** What a later cutoff's features are compared with (train-models only). */
export const inputBins = fragment({
  file: import.meta.url,
  needs: [modelDescription, driftSample],
  imports: [
    'import math',
    'from pyspark.sql import DataFrame, Row, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`INPUT_TENTHS = ${TENTHS}`,
  code: python`
    def input_bins(test: DataFrame, names: list[str], tested_users: int) -> dict[str, InputBins]:
        """Tenths of the test rows by each input; one job for all."""
        values = test.where(is_in_drift_sample(tested_users)).select(
            F.posexplode(F.array(*names)).alias("input", "value")
        )
        known = Window.partitionBy("input", F.isnull("value"))
        rank = (F.sum("rows").over(known.orderBy("value")) - F.col("rows") / 2) / F.sum("rows").over(known)
        tenth = F.when(F.col("value").isNotNull(), F.floor(INPUT_TENTHS * rank))
        counted = (
            values.groupBy("input", "value")
            .agg(F.count(F.lit(1)).alias("rows"))
            .withColumn("tenth", tenth)
            .groupBy("input", "tenth")
            .agg(F.min("value").alias("first"), F.max("value").alias("last"), F.sum("rows").alias("rows"))
        )
        found: dict[str, list[Row]] = {name: [] for name in names}
        for row in counted.orderBy("input", "tenth").collect():
            found[names[row.input]].append(row)
        return {name: bins_of(rows) for name, rows in found.items()}


    def bins_of(counted: list[Row]) -> InputBins:
        """Where each tenth begins but the first, for values that no test row has, too: these rank between their neighbours.

        @param counted test rows by tenth, in order: the first and the last of their values, and their number
        """
        missing = sum(row.rows for row in counted if row.tenth is None)
        known = [row for row in counted if row.tenth is not None]
        if not known:
            return {"starts": [], "rows": [], "missing": missing}
        total, ranked = sum(row.rows for row in known), 0
        begins: list[tuple[float, int]] = []
        rows = [0] * INPUT_TENTHS
        for row in known:
            rows[row.tenth] = row.rows
            ranked += row.rows
            behind = min(INPUT_TENTHS - 1, INPUT_TENTHS * ranked // total)
            begins += [(row.first, row.tenth), (math.nextafter(row.last, math.inf), behind)]
        starts = [next(first for first, at in begins if at >= tenth) for tenth in range(1, INPUT_TENTHS)]
        return {"starts": starts, "rows": rows, "missing": missing}
  `,
});

/** The stability index of the features and of the score (score-users only). */
export const drift = fragment({
  file: import.meta.url,
  needs: [scoringTypes, modelDescription, driftSample],
  imports: [
    'import itertools',
    'import math',
    'from pyspark.sql import Column, DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    MISSING = -1
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


    def feature_drift(
        users: DataFrame, names: list[str], tested: dict[str, InputBins], tested_users: int
    ) -> list[FeatureDrift]:
        """Each feature's stability index between the test users and the scored ones, largest first; one job for all.

        @param tested the test users, counted when the model was trained; features that it does not know are left out
        """
        names = [name for name in names if name in tested]
        if not names:
            return []
        starts = F.lit([tested[name]["starts"] for name in names]).cast("array<array<double>>")
        values = users.where(is_in_drift_sample(tested_users)).select(
            F.posexplode(F.array(*names)).alias("feature", "value")
        )
        # A missing value has a bin of its own.
        reached = F.filter(starts[F.col("feature")], lambda start: start <= F.col("value"))
        bin_of_value = F.when(F.col("value").isNotNull(), F.size(reached)).otherwise(MISSING)
        scored: dict[str, dict[int, int]] = {name: {} for name in names}
        for row in values.groupBy("feature", bin_of_value.alias("bin")).count().collect():
            scored[names[row.feature]][row.bin] = row["count"]

        def index_of(name: str) -> float:
            bins = {MISSING: tested[name]["missing"], **dict(enumerate(tested[name]["rows"]))}
            every = sorted(bins.keys() | scored[name].keys())
            return stability_index([(bins.get(number, 0), scored[name].get(number, 0)) for number in every])

        drift: list[FeatureDrift] = [{"feature": name, "psi": index_of(name)} for name in names]
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
