/**
 * BuildFeatures: user_days -> features, one row per user and cutoff, by the `forward` protocol.
 * Reads the current snapshot of user_days once for all cutoffs; replaces the table `features` whole.
 * Fails when the log is too short to train on, or when no user has a history before a cutoff.
 */
import { FEATURES } from '../domain/features/catalogue.ts';
import { compileFeatures } from '../domain/features/compile.ts';
import { FEATURES_TABLE } from '../domain/features/features-table.ts';
import { ICEBERG_FORMAT_VERSION } from '../domain/lake.ts';
import { featuresResultSchema } from '../domain/results.ts';
import { python } from './composition/python.ts';
import { cutoffs, period } from './fragments/cutoffs.ts';
import { featureVersions } from './fragments/feature-versions.ts';
import { snapshotExpiry, snapshotReading } from './fragments/snapshots.ts';
import { sources } from './fragments/sources.ts';
import { daysSql, HISTORY_SQL, USERS_SQL } from './fragments/spells.ts';
import { sqlText } from './fragments/sql.ts';
import { stepError } from './fragments/step-error.ts';
import { tableName } from './fragments/table-name.ts';
import { featuresTypes, planTypes } from './fragments/types.ts';
import { defineStep } from './step.ts';

const { aggregate, projection } = compileFeatures(FEATURES);

export const buildFeatures = defineStep({
  name: 'build-features',
  summary: 'Makes point-in-time rows, one per user and cutoff, from the days of each user.',
  result: featuresResultSchema,
  uses: [
    ...[planTypes, featuresTypes, tableName, stepError, snapshotReading, snapshotExpiry, period, cutoffs],
    featureVersions,
    sources,
  ],
  imports: [
    'import datetime',
    'import math',
    'from pyspark.sql import DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    KEY_COLUMNS = ${FEATURES_TABLE.columns.length - FEATURES.length}
    HISTORY_ROWS_PER_TASK = 200_000
    CUTOFF_SCHEMA = "cutoff date, role string, first_day date, label_end date"

    # Each user's days, with sessions that go on over midnight joined, and when their spells end and begin.
    DAYS = ${sqlText(daysSql())}

    # Days known at each cutoff: whatever is computed from here cannot see the future.
    HISTORY = ${sqlText(HISTORY_SQL)}

    # Users of the whole lake.
    USERS = ${sqlText(USERS_SQL)}

    # From the feature catalogue: what is summed over a user's history at a cutoff.
    AGGREGATE = ${sqlText(aggregate)}

    # From the feature catalogue: the columns of the table.
    PROJECTION = ${sqlText(projection)}

    COMMENTS = ${Object.fromEntries(FEATURES_TABLE.columns.map(({ name, meaning }) => [name, meaning]))}
  `,
  run: python`
    def point_in_time_rows(spark: SparkSession, user_days: DataFrame, cutoffs: list[Cutoff]) -> DataFrame:
        """One row per user and cutoff: label and features, all cutoffs in one pass over the days."""
        user_days.createOrReplaceTempView("user_days")
        spark.createDataFrame(cutoffs, CUTOFF_SCHEMA).createOrReplaceTempView("cutoffs")
        spark.sql(DAYS).createOrReplaceTempView("days")
        spark.sql(HISTORY).createOrReplaceTempView("history")
        spark.sql(AGGREGATE).createOrReplaceTempView("aggregated")
        return spark.sql(PROJECTION)


    def write_features(rows: DataFrame, table: str, computed: Computed) -> None:
        """Replaces the table in one commit; its columns follow the catalogue."""
        properties = {f"snapshot-property.{name}": value for name, value in computed.properties().items()}
        described = [F.col(name).alias(name, metadata={"comment": COMMENTS[name]}) for name in COMMENTS]
        (
            rows.select(*described)
            .writeTo(table)
            .using("iceberg")
            .options(**properties)
            .partitionedBy(F.col("cutoff"))
            .tableProperty("format-version", ${String(ICEBERG_FORMAT_VERSION)})
            .tableProperty("write.distribution-mode", "none")
            .tableProperty("write.spark.fanout.enabled", "true")
            .createOrReplace()
        )


    def counted_cutoffs(
        features: DataFrame, cutoffs: list[Cutoff], versions: dict[datetime.date, str]
    ) -> list[CutoffCounts]:
        """Rows and cancellations of each cutoff, counted in the table that was written, with the version of the rows."""
        counts = {
            row.cutoff: row
            for row in features.groupBy("cutoff")
            .agg(F.count(F.lit(1)).alias("rows"), F.sum("label").alias("cancellations"))
            .collect()
        }
        empty = [str(cutoff.cutoff) for cutoff in cutoffs if cutoff.cutoff not in counts]
        if empty:
            raise StepError(
                f"no living user has an event before {', '.join(empty)}",
                "every user of the log cancelled early, or the log has no signed-in users",
                "check that the log's auth and userId columns are filled",
            )

        def counted(cutoff: Cutoff) -> CutoffCounts:
            found: CutoffCounts = {
                "cutoff": str(cutoff.cutoff),
                "role": cutoff.role,
                "rows": counts[cutoff.cutoff].rows,
                "cancellations": counts[cutoff.cutoff].cancellations,
            }
            if cutoff.cutoff in versions:
                found["version"] = versions[cutoff.cutoff]
            return found

        return [counted(cutoff) for cutoff in cutoffs]


    def run(spark: SparkSession, plan: Plan) -> FeaturesResult:
        """Fills the table of features and says what is in it."""
        settings = plan["training"]
        user_days_table, features_table = table_name(plan, USER_DAYS), table_name(plan, FEATURES)
        user_days_snapshot = current_snapshot(spark, user_days_table)
        user_days = read_snapshot(spark, user_days_table, user_days_snapshot)
        days = daily_rows(user_days)
        period = find_period(days, settings)
        cutoffs = plan_cutoffs(period, settings)

        history_rows = sum(day.user_days for day in days) * len(cutoffs)
        tasks = max(spark.sparkContext.defaultParallelism, math.ceil(history_rows / HISTORY_ROWS_PER_TASK))
        spark.conf.set("spark.sql.shuffle.partitions", tasks)
        by = computed_by(period, settings)
        unchanged = unchanged_versions(spark, plan, user_days_snapshot, by, computed_before(spark, plan))
        known = [cutoff.cutoff for cutoff in cutoffs if cutoff.role != "score"]
        versions = {cutoff: unchanged.get(cutoff, user_days_snapshot) for cutoff in known}
        computed = Computed(user_days_snapshot, by, versions)
        write_features(point_in_time_rows(spark, user_days, cutoffs), features_table, computed)
        expire_snapshots(spark, plan, [FEATURES], SNAPSHOT_RETENTION_DAYS)

        features_snapshot = current_snapshot(spark, features_table)
        features = read_snapshot(spark, features_table, features_snapshot)
        (users,) = spark.sql(USERS).collect()
        return {
            "firstDay": str(period.first_day),
            "observationEnd": str(period.observation_end),
            "observedDays": (period.observation_end - period.first_day).days,
            "cutoffs": counted_cutoffs(features, cutoffs, versions),
            "days": [{"day": str(day.day), "events": day.events} for day in days],
            "sources": daily_sources(user_days, period.observation_end),
            "users": users.users,
            "cancellations": users.cancellations,
            "cutoffAnchor": str(grid_anchor(period, settings)),
            "returnedUsers": users.returned_users,
            "secondCancellations": users.second_cancellations,
            "featureCount": len(features.columns) - KEY_COLUMNS,
            "snapshots": {"user_days": user_days_snapshot, "features": features_snapshot},
        }
  `,
});
