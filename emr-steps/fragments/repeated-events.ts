/** The table `repeated_events`: copies of events, staged on a branch of their own and published after the events. */
import { CATALOG, DATABASE, REPEATED_EVENTS, STAGING_BRANCH, sparkTableName } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { eventsTable } from './events-table.ts';
import { icebergTables } from './jvm.ts';
import { newestSnapshot } from './snapshots.ts';
import { staging } from './staging.ts';
import { createTable } from './tables.ts';
import { planTypes } from './types.ts';

const TABLE = sparkTableName(REPEATED_EVENTS);

export const repeatedEvents = fragment({
  file: import.meta.url,
  needs: [planTypes, eventsTable, icebergTables, newestSnapshot, staging],
  imports: [
    'import datetime',
    'from pyspark.sql import DataFrame, SparkSession, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    REPEATED = ${TABLE}
    STAGED_REPEATED = ${`${TABLE}.branch_${STAGING_BRANCH}`}
    CREATE_REPEATED = ${createTable(REPEATED_EVENTS)}
    OPEN_REPEATED = ${`ALTER TABLE ${TABLE} CREATE BRANCH ${STAGING_BRANCH}`}
    PUBLISH_REPEATED = ${`CALL ${CATALOG}.system.fast_forward('${DATABASE}.${REPEATED_EVENTS.name}', 'main', '${STAGING_BRANCH}')`}
    CLOSE_REPEATED = ${`ALTER TABLE ${TABLE} DROP BRANCH IF EXISTS ${STAGING_BRANCH}`}
  `,
  code: python`
    def holds_copies(spark: SparkSession) -> bool:
        """Whether there ever were copies: most lakes have none. Creates the table."""
        spark.sql(CREATE_REPEATED)
        return newest_snapshot(spark, REPEATED) is not None


    def replace_copies(spark: SparkSession, plan: Plan, copies: DataFrame, days: set[datetime.date]) -> None:
        """Stages the copies of these days, one for each event and file: the first by its values.

        They come with their places among the rows of their event, and whatever was there before is replaced.
        """
        spark.sql(CLOSE_REPEATED)
        spark.sql(OPEN_REPEATED)
        key = Window.partitionBy("user_id", "event_date", "slice", *EVENT_KEY, "source_file").orderBy("place")
        first = copies.withColumn("place_in_file", F.row_number().over(key)).where("place_in_file = 1")
        (
            first.select(*EVENT_NAMES)
            .writeTo(STAGED_REPEATED)
            .option("fanout-enabled", "true")
            .option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])
            .overwrite(F.col("event_date").isin(sorted(days)))
        )


    def publish_copies(spark: SparkSession, batch_id: str) -> None:
        """Publishes the copies that were staged for a batch whose events are published; closes the branch."""
        table = iceberg_table(spark, REPEATED)
        staged, seen = table.snapshot(STAGING), table.currentSnapshot()
        if staged is not None and staged.summary().get(WRITTEN_FOR) == batch_id:
            if seen is None or seen.snapshotId() != staged.snapshotId():
                spark.sql(PUBLISH_REPEATED).collect()
            spark.sql(CLOSE_REPEATED)
  `,
});
