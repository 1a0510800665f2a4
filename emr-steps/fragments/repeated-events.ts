/** The table `repeated_events`: copies of events, staged on a branch of their own and published after the events. */
import { REPEATED_EVENTS, STAGING_BRANCH } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { eventsTable } from './events-table.ts';
import { icebergTables } from './jvm.ts';
import { newestSnapshot } from './snapshots.ts';
import { staging } from './staging.ts';
import { tableName } from './table-name.ts';
import { createTable } from './tables.ts';
import { planTypes } from './types.ts';

export const repeatedEvents = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, eventsTable, icebergTables, newestSnapshot, staging],
  imports: [
    'import datetime',
    'from pyspark.sql import DataFrame, SparkSession, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    REPEATED = ${REPEATED_EVENTS.name}
    STAGED_REPEATED = ${`${REPEATED_EVENTS.name}.branch_${STAGING_BRANCH}`}
    CREATE_REPEATED = ${createTable(REPEATED_EVENTS)}
  `,
  code: python`
    def holds_copies(spark: SparkSession, plan: Plan) -> bool:
        """Whether there ever were copies: most lakes have none. Creates the table."""
        repeated = table_name(plan, REPEATED)
        spark.sql(CREATE_REPEATED.format(table=repeated))
        return newest_snapshot(spark, repeated) is not None


    def replace_copies(spark: SparkSession, plan: Plan, copies: DataFrame, days: set[datetime.date]) -> None:
        """Stages the copies of these days, one for each event and file: the first by its values.

        They come with their places among the rows of their event, and whatever was there before is replaced.
        """
        repeated = table_name(plan, REPEATED)
        spark.sql(CLOSE_STAGING.format(table=repeated))
        spark.sql(OPEN_STAGING.format(table=repeated))
        key = Window.partitionBy("user_id", "event_date", "slice", *EVENT_KEY, "source_file").orderBy("place")
        first = copies.withColumn("place_in_file", F.row_number().over(key)).where("place_in_file = 1")
        (
            first.select(*EVENT_NAMES)
            .writeTo(table_name(plan, STAGED_REPEATED))
            .option("fanout-enabled", "true")
            .option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])
            .overwrite(F.col("event_date").isin(sorted(days)))
        )


    def publish_copies(spark: SparkSession, plan: Plan, batch_id: str) -> None:
        """Publishes the copies that were staged for a batch whose events are published; closes the branch."""
        repeated = table_name(plan, REPEATED)
        table = iceberg_table(spark, repeated)
        staged, seen = table.snapshot(STAGING), table.currentSnapshot()
        if staged is not None and staged.summary().get(WRITTEN_FOR) == batch_id:
            if seen is None or seen.snapshotId() != staged.snapshotId():
                spark.sql(PUBLISH.format(table=repeated)).collect()
            spark.sql(CLOSE_STAGING.format(table=repeated))
  `,
});
