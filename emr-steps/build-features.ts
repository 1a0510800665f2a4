/**
 * BuildFeatures: user_days -> features, one row per user and cutoff, by the `forward` protocol; and scoring_features.
 * Cutoffs of the past stand: only those are computed that are new, or that depend on a day that has changed since.
 * Fails when the log is too short to train on, or when no user has a history before a cutoff.
 */
import { FEATURES } from '../domain/features/catalogue.ts';
import { compileFeatures } from '../domain/features/compile.ts';
import { FEATURES_TABLE, SCORING_FEATURES_TABLE } from '../domain/features/features-table.ts';
import { ICEBERG_FORMAT_VERSION, PAGE_DAYS } from '../domain/lake.ts';
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
    'from collections.abc import Iterable',
    'from pyspark.sql import DataFrame, DataFrameWriterV2, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    SCORING_FEATURES = ${SCORING_FEATURES_TABLE.name}
    PAGE_DAYS = ${PAGE_DAYS.name}
    FEATURE_COUNT = ${FEATURES.length}
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

    # Columns of the two tables, with what they mean.
    COMMENTS = ${Object.fromEntries(FEATURES_TABLE.columns.map(({ name, meaning }) => [name, meaning]))}
    SCORING_COLUMNS = ${SCORING_FEATURES_TABLE.columns.map(({ name }) => name)}
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


    def computed_rows(
        spark: SparkSession,
        user_days: DataFrame,
        cutoffs: list[Cutoff],
        days: list[DayRows],
        columns: Iterable[str],
    ) -> DataFrame:
        """The rows of some cutoffs, from the days that they depend on, with described columns."""
        end = max(max(cutoff.cutoff, cutoff.label_end) for cutoff in cutoffs)
        rows = sum(day.user_days for day in days if day.day < end) * len(cutoffs)
        tasks = max(spark.sparkContext.defaultParallelism, math.ceil(rows / HISTORY_ROWS_PER_TASK))
        spark.conf.set("spark.sql.shuffle.partitions", tasks)
        known = user_days.where(F.col("day") < F.lit(end))
        described = [F.col(name).alias(name, metadata={"comment": COMMENTS[name]}) for name in columns]
        return point_in_time_rows(spark, known, cutoffs).select(*described)


    def replace_table(rows: DataFrame, table: str, properties: dict[str, str]) -> DataFrameWriterV2:
        """How a table is replaced in one commit; its columns follow the catalogue."""
        writer = rows.writeTo(table).using("iceberg").options(**properties)
        writer = writer.tableProperty("format-version", ${String(ICEBERG_FORMAT_VERSION)})
        writer = writer.tableProperty("write.metadata.delete-after-commit.enabled", "true")
        writer = writer.tableProperty("write.distribution-mode", "none")
        return writer.tableProperty("write.spark.fanout.enabled", "true")


    def refresh_features(
        spark: SparkSession,
        plan: Plan,
        user_days: DataFrame,
        source: str,
        period: Period,
        wanted: list[Cutoff],
        days: list[DayRows],
    ) -> dict[datetime.date, str]:
        """Computes the rows of the cutoffs that are missing or have changed; returns the versions of those wanted.

        @param source the snapshot of user_days
        """
        settings, table = plan["training"], table_name(plan, FEATURES)
        by, before = computed_by(period, settings), computed_before(spark, plan)
        unchanged: dict[datetime.date, str] = {}
        if before is not None and before.by == by:
            unchanged = unchanged_versions(spark, plan, source, before)
        kept = kept_versions(unchanged, [cutoff.cutoff for cutoff in wanted], period, settings)
        missing = [cutoff for cutoff in wanted if cutoff.cutoff not in kept]
        versions = {**kept, **{cutoff.cutoff: source for cutoff in missing}}
        if before is not None and not missing and kept.keys() == before.versions.keys():
            return versions
        computed = Computed(source, by, versions)
        properties = {f"snapshot-property.{name}": value for name, value in computed.properties().items()}
        rows = (
            computed_rows(spark, user_days, missing, days, COMMENTS) if missing else spark.table(table).limit(0)
        )
        if before is None or before.by != by:
            replace_table(rows, table, properties).partitionedBy(F.col("cutoff")).createOrReplace()
        else:
            others = ~F.col("cutoff").isin(sorted(kept)) if kept else F.lit(True)
            rows.writeTo(table).options(**properties).overwrite(others)
        return versions


    def counted_cutoffs(
        features: DataFrame, scoring: DataFrame, cutoffs: list[Cutoff], versions: dict[datetime.date, str]
    ) -> tuple[list[CutoffCounts], int]:
        """Rows and cancellations of each cutoff, counted in the tables; and all rows of the features."""
        counts = {
            row.cutoff: row
            for row in features.groupBy("cutoff")
            .agg(F.count(F.lit(1)).alias("rows"), F.sum("label").alias("cancellations"))
            .collect()
        }
        living = scoring.count()
        rows = {cutoff: row["rows"] for cutoff, row in counts.items()}

        def rows_of(cutoff: Cutoff) -> int:
            return living if cutoff.role == "score" else rows.get(cutoff.cutoff, 0)

        empty = [str(cutoff.cutoff) for cutoff in cutoffs if rows_of(cutoff) == 0]
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
                "rows": rows_of(cutoff),
                "cancellations": None,
            }
            if cutoff.role != "score":
                found["cancellations"] = counts[cutoff.cutoff].cancellations
                found["version"] = versions[cutoff.cutoff]
            return found

        return [counted(cutoff) for cutoff in cutoffs], sum(rows.values())


    def run(spark: SparkSession, plan: Plan) -> FeaturesResult:
        """Fills the table of features and says what is in it."""
        settings = plan["training"]
        user_days_table, features_table = table_name(plan, USER_DAYS), table_name(plan, FEATURES)
        scoring_table = table_name(plan, SCORING_FEATURES)
        user_days_snapshot = current_snapshot(spark, user_days_table)
        user_days = read_snapshot(spark, user_days_table, user_days_snapshot)
        days = daily_rows(user_days)
        period = find_period(days, settings)
        cutoffs = plan_cutoffs(period, settings)

        wanted = [cutoff for cutoff in cutoffs if cutoff.role != "score"]
        versions = refresh_features(spark, plan, user_days, user_days_snapshot, period, wanted, days)
        scored = [cutoff for cutoff in cutoffs if cutoff.role == "score"]
        scoring_rows = computed_rows(spark, user_days, scored, days, SCORING_COLUMNS)
        replace_table(scoring_rows, scoring_table, {}).createOrReplace()
        expire_snapshots(spark, plan, [FEATURES, SCORING_FEATURES], SNAPSHOT_RETENTION_DAYS)

        features_snapshot = current_snapshot(spark, features_table)
        scoring_snapshot = current_snapshot(spark, scoring_table)
        counted, table_rows = counted_cutoffs(
            read_snapshot(spark, features_table, features_snapshot),
            read_snapshot(spark, scoring_table, scoring_snapshot),
            cutoffs,
            versions,
        )
        user_days.createOrReplaceTempView("user_days")
        spark.sql(DAYS).createOrReplaceTempView("days")
        (users,) = spark.sql(USERS).collect()
        return {
            "firstDay": str(period.first_day),
            "observationEnd": str(period.observation_end),
            "observedDays": (period.observation_end - period.first_day).days,
            "cutoffs": counted,
            "days": [{"day": str(day.day), "events": day.events} for day in days],
            "sources": daily_sources(user_days, spark.table(table_name(plan, PAGE_DAYS)), period.observation_end),
            "users": users.users,
            "cancellations": users.cancellations,
            "cutoffAnchor": str(grid_anchor(period, settings)),
            "returnedUsers": users.returned_users,
            "secondCancellations": users.second_cancellations,
            "featureCount": FEATURE_COUNT,
            "tableRows": table_rows,
            "snapshots": {
                "user_days": user_days_snapshot,
                "features": features_snapshot,
                "scoring_features": scoring_snapshot,
            },
        }
  `,
});
