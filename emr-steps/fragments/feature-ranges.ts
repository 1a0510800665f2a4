/** How many cancel across the range of a feature: all test users in bands of about equally many, counted in one job. */
import { RANGE_BANDS } from '../../domain/drivers.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { testedModel } from './slices.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

export const featureRanges = fragment({
  file: import.meta.url,
  needs: [trainingTypes, arrays, testedModel, storedFigures],
  imports: [
    'import numpy as np',
    'from pyspark.sql import Column, DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # A band holds about a tenth of the users, or all who have the same value.
    RANGE_BANDS = ${RANGE_BANDS}
    MISSING_BAND = -1
  `,
  code: python`
    def band_starts(values: Numbers) -> list[float]:
        """Where each band but the first begins; takes the values of a sample, without missing ones."""
        distinct, counts = np.unique(values, return_counts=True)
        full = len(values) / RANGE_BANDS
        starts: list[float] = []
        held = 0
        for value, users in zip(distinct.tolist(), counts.tolist(), strict=True):
            # A value of many users has a band of its own, which no other value shifts.
            if held and (held >= full or users >= full):
                starts.append(value)
                held = 0
            held += users
        if starts and held < full / 2:
            before = distinct[(distinct < starts[-1]) & (distinct >= max(starts[:-1], default=-np.inf))]
            # The few that are left join the band before them, unless that is of one value.
            return starts[:-1] if len(before) > 1 else starts
        return starts


    def band_of(value: Column, starts: list[float]) -> Column:
        """The number of a value's band."""
        band = F.when(value.isNull(), F.lit(MISSING_BAND))
        for number, start in reversed(list(enumerate(starts, start=1))):
            band = band.when(value >= start, F.lit(number))
        return band.otherwise(F.lit(0))


    def ranges_of(
        test: DataFrame, tested: TestedModel, features: dict[str, str], sample: Numbers
    ) -> list[list[FeatureBand]]:
        """The bands of each feature; takes rows of features, the features in SQL, and a row of values for each."""
        log_odds = F.col("raw_score") * tested.calibration["slope"] + tested.calibration["intercept"]
        # Sums of decimals do not depend on the order in which tasks finish.
        probability = (1 / (1 + F.exp(-log_odds))).cast("decimal(20,9)")
        starts = [band_starts(values[~np.isnan(values)]) for values in sample]
        values = [F.expr(sql).cast("double") for sql in features.values()]
        cells = [
            F.struct(F.lit(number).alias("feature"), value.alias("value"), band_of(value, own).alias("band"))
            for number, (value, own) in enumerate(zip(values, starts, strict=True))
        ]
        scores = tested.scores.select("user_id", "label", probability.alias("probability"))
        rows = (
            test.select("user_id", F.array(*cells).alias("cells"))
            .join(scores, "user_id")
            .select("label", "probability", F.explode("cells").alias("cell"))
            .groupBy("cell.feature", "cell.band")
            .agg(
                F.min("cell.value").alias("lowest"),
                F.max("cell.value").alias("highest"),
                F.count(F.lit(1)).alias("users"),
                F.sum("label").alias("cancelled"),
                F.sum("probability").alias("predicted"),
            )
            .collect()
        )
        # Those who lack the value come last.
        ordered = sorted(rows, key=lambda row: (row["feature"], row["band"] == MISSING_BAND, row["band"]))
        bands: list[list[FeatureBand]] = [[] for _ in features]
        for row in ordered:
            bands[row["feature"]].append(
                {
                    "lowest": row["lowest"],
                    "highest": row["highest"],
                    "users": row["users"],
                    "cancelled": int(row["cancelled"]),
                    "predicted": stored(row["predicted"]),
                }
            )
        return bands
  `,
});
