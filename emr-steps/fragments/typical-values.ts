/** What is typical of the living users of a level, at the scoring cutoff: with it a user's own figures are compared. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { channelRates } from './channel-rates.ts';
import { featureType, inputVector } from './model-inputs.ts';
import { scoringTypes } from './types.ts';

export const typicalValues = fragment({
  file: import.meta.url,
  needs: [featureType, inputVector, channelRates, scoringTypes],
  imports: [
    'from typing import NamedTuple',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # Medians are taken from about this many users, chosen by a hash; of fewer users, from all.
    TYPICAL_USERS = 20_000
    LEVEL = "INT(COALESCE(is_paid, 0))"
    # Missing where most users have no value.
    MEDIAN = "IF(2 * COUNT({value}) < COUNT(1), NULL, PERCENTILE_APPROX({value}, 0.5, 100000))"
  `,
  code: python`
    class Typical(NamedTuple):
        """The medians of the inputs and, behind them, of the channels' rates: of free users, and of those who pay."""

        names: list[str]
        groups: list[str]
        # As they are; none where most users have no value.
        values: list[list[float | None]]
        # As the model reads them.
        read: list[list[float | None]]


    def typical_values(
        living: DataFrame, inputs: list[ModelInput], segments: SegmentModel | None, users: int
    ) -> Typical:
        """The medians by level; takes the rows of the living users, and how many they are."""
        share = min(1.0, TYPICAL_USERS / max(users, 1))
        chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
        names, counted = [feature["name"] for feature in inputs], counts_of_channels(segments)
        rates = {f"rate_of_{count}": rate for count, rate in zip(counted, channel_rates(segments), strict=True)}
        sources = {**{name: name for name in names}, **rates}
        medians = [F.expr(MEDIAN.format(value=source)).alias(name) for name, source in sources.items()]
        by_level = living.where(chosen).groupBy(F.expr(LEVEL).alias("level")).agg(*medians)
        read = F.concat(input_array(inputs), F.array(*rates)) if rates else input_array(inputs)
        found = {
            row.level: row
            for row in by_level.select("level", F.array(*sources).alias("own"), read.alias("read")).collect()
        }
        nothing: list[float | None] = [None] * len(sources)
        return Typical(
            names=[*names, *counted],
            groups=[*(feature["group"] for feature in inputs), *(CHANNEL_GROUPS if segments else [])],
            values=[found[level].own if level in found else nothing for level in (0, 1)],
            read=[found[level].read if level in found else nothing for level in (0, 1)],
        )


    def described_typical(typical: Typical) -> list[TypicalValue]:
        """The medians as the result holds them."""
        free, paid = typical.values
        return [
            {"feature": name, "free": of_free, "paid": of_paid}
            for name, of_free, of_paid in zip(typical.names, free, paid, strict=True)
        ]
  `,
});
