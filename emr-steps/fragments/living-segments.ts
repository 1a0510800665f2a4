/**
 * The living users by segment, as the model in charge tells them apart: how many there are, how many of them are expected to
 * cancel, and who has moved since an earlier run. Both runs' users are assigned by the same model, or a segment of one would
 * be another of the other: so the users of before are read from the snapshot that the earlier run has left.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { inputVector } from './model-inputs.ts';
import { segmentScores } from './segment-scores.ts';
import { snapshotReading } from './snapshots.ts';
import { scoringTypes } from './types.ts';

export const livingSegments = fragment({
  file: import.meta.url,
  needs: [segmentScores, inputVector, scoringTypes, snapshotReading],
  imports: [
    'import datetime',
    'from pyspark.sql import DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # A run that was repeated has left snapshots of the same cutoff.
    SNAPSHOTS_LOOKED_AT = 5
  `,
  code: python`
    def segment_of_users(living: DataFrame, model: SegmentModel) -> DataFrame:
        """The segment of each user that is most probable, by its place in the model."""
        joint = segment_joint(model)
        place = f"array_position(array({', '.join(joint)}), greatest({', '.join([*joint, joint[0]])})) - 1"
        return living.select("user_id", *segment_source()).select("user_id", F.expr(place).alias("segment"))


    def users_before(
        spark: SparkSession, table: str, cutoff: datetime.date
    ) -> tuple[datetime.date, DataFrame] | None:
        """The living users of the newest earlier cutoff of which there is still a snapshot."""
        newest = spark.table(f"{table}.snapshots").orderBy(F.desc("committed_at")).limit(SNAPSHOTS_LOOKED_AT)
        for (snapshot,) in newest.select("snapshot_id").collect():
            rows = read_snapshot(spark, table, str(snapshot))
            (earlier,) = rows.agg(F.max("cutoff")).collect()[0]
            if earlier is not None and earlier < cutoff:
                return earlier, rows
        return None


    def moved_users(
        spark: SparkSession, table: str, cutoff: datetime.date, own: DataFrame, model: SegmentModel
    ) -> Moved | None:
        """How many of those who lived before too were of which segment then, and are of which now."""
        before = users_before(spark, table, cutoff)
        if before is None or not {"is_paid", *model["counts"], *model["exposures"]} <= set(before[1].columns):
            return None
        then = segment_of_users(before[1], model).withColumnRenamed("segment", "earlier")
        counts = own.join(then, "user_id").groupBy("earlier", "segment").agg(F.count(F.lit(1)).alias("users"))
        return {
            "since": str(before[0]),
            "moves": [
                {"before": row.earlier, "now": row.segment, "users": row.users}
                for row in counts.orderBy("earlier", "segment").collect()
            ],
        }


    def living_segments(
        spark: SparkSession, living: DataFrame, scores: DataFrame, table: str, model: SegmentModel
    ) -> LivingSegments:
        """The living users by segment.

        @param living their rows of features
        @param scores user_id, cutoff and probability of each; null where probabilities are withheld
        @param table the features of living users, with earlier snapshots
        """
        own = segment_of_users(living, model).cache()
        # A sum of decimals does not depend on the order of its parts.
        expected = F.sum(F.col("probability").cast("decimal(20,12)")).cast("double")
        counted = {
            row.segment: row
            for row in own.join(scores.select("user_id", "probability"), "user_id")
            .groupBy("segment")
            .agg(F.count(F.lit(1)).alias("users"), expected.alias("expected"))
            .collect()
        }
        (cutoff,) = scores.agg(F.max("cutoff")).collect()[0]
        mixture, hazards = model["mixture"], model["regression"]["hazards"]
        found: LivingSegments = {
            "segments": [
                {
                    "size": size,
                    "rates": [
                        {"rate": rate, "usual": usual}
                        for rate, usual in zip(rates, model["usualRates"], strict=True)
                    ],
                    "freeHazard": free,
                    "paidHazard": paid,
                    "users": counted[place].users if place in counted else 0,
                    "expected": counted[place].expected if place in counted else 0.0,
                }
                for place, (size, rates, (free, paid)) in enumerate(
                    zip(mixture["sizes"], mixture["rates"], hazards, strict=True)
                )
            ],
            "moved": moved_users(spark, table, cutoff, own, model),
        }
        own.unpersist()
        return found
  `,
});
