/** Staging: a batch becomes events on a branch that no reader sees, and is published in one commit. */
import { CATALOG, EVENTS, STAGING_BRANCH } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { eventsTable } from './events-table.ts';
import { fileNumbers } from './file-numbers.ts';
import { icebergTables } from './jvm.ts';
import { snapshotChanges } from './snapshots.ts';
import { tableName } from './table-name.ts';
import { createTable } from './tables.ts';
import { planTypes } from './types.ts';

/**
 * Columns with more distinct values than this are written plain. To look up every artist, song and user agent costs a
 * twentieth of ingest; not to do so makes the table larger by a fifth.
 */
const DICTIONARY_BYTES = 2_048;

export const staging = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, icebergTables, snapshotChanges, fileNumbers, eventsTable],
  imports: [
    'import datetime',
    'from pyspark.sql import DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
    'from pyspark.sql.readwriter import DataFrameWriterV2',
  ],
  constants: python`
    STAGED_EVENTS = ${`${EVENTS.name}.branch_${STAGING_BRANCH}`}
    CREATE_EVENTS = ${createTable(EVENTS, { 'write.parquet.dict-size-bytes': String(DICTIONARY_BYTES) })}
    OPEN_STAGING = ${`ALTER TABLE {table} CREATE BRANCH ${STAGING_BRANCH}`}
    PUBLISH = ${`CALL ${CATALOG}.system.fast_forward('{table}', 'main', '${STAGING_BRANCH}')`}
    STAGING = ${STAGING_BRANCH}
    CLOSE_STAGING = ${`ALTER TABLE {table} DROP BRANCH IF EXISTS ${STAGING_BRANCH}`}

    # Property of a snapshot of events: the batch that it was written for.
    WRITTEN_FOR = ${'written-for-batch'}

    EVENT_NAMES = ${EVENTS.columns.map((column) => column.name)}
  `,
  code: python`
    def open_staging(spark: SparkSession, plan: Plan) -> None:
        """Opens the branch on what readers see now, without the rows of unfinished batches and of earlier tries."""
        batch_id = plan["batch"]["batchId"]
        events = table_name(plan, EVENTS)
        spark.sql(CREATE_EVENTS.format(table=events))
        snapshots = iceberg_table(spark, events).snapshots()
        tried = any(snapshot.summary().get(WRITTEN_FOR) == batch_id for snapshot in snapshots)
        unfinished = plan["abandonedBatchIds"] + ([batch_id] if tried else [])
        # A branch cannot be replaced while readers see no snapshot: a first try that published nothing has left it.
        close_staging(spark, plan)
        spark.sql(OPEN_STAGING.format(table=events))
        forget_batches(spark, table_name(plan, STAGED_EVENTS), unfinished)


    def close_staging(spark: SparkSession, plan: Plan) -> None:
        """Removes the branch, if there is one."""
        spark.sql(CLOSE_STAGING.format(table=table_name(plan, EVENTS)))


    def publish_staged(spark: SparkSession, plan: Plan) -> None:
        """Shows readers what is on the branch, in one commit."""
        spark.sql(PUBLISH.format(table=table_name(plan, EVENTS))).collect()


    def by_day(rows: DataFrame, tasks: int, slices: int) -> DataFrame:
        """Brings the rows of a day into one task; of a large day, those of each slice of its users."""
        sliced = rows.withColumn("slice", F.expr(f"PMOD(HASH(user_id), {slices})") if slices > 1 else F.lit(0))
        return sliced.repartition(tasks, "event_date", *(["slice"] if slices > 1 else []))


    def write_staged(rows: DataFrame, plan: Plan) -> DataFrameWriterV2:
        """A writer of the branch. A task that holds several days meets them by user: a file stays open for each."""
        staged = table_name(plan, STAGED_EVENTS)
        writer = rows.select(*EVENT_NAMES).writeTo(staged).option("fanout-enabled", "true")
        return writer.option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])


    def stage_new_rows(events: DataFrame, plan: Plan, files: dict[int, str]) -> None:
        """Appends the batch's events to the branch, duplicates included: they are rare, and looked for once all are stored."""
        sizes = plan["ingest"]
        # The user first: Spark sorts by the first eight bytes of the first column, and compares rows only where these tie.
        days = by_day(events, sizes["shufflePartitions"], sizes["slicesPerDay"])
        ordered = days.sortWithinPartitions("user_id", "event_time", "item_in_session")
        batch_id = F.lit(plan["batch"]["batchId"])
        named = ordered.withColumns({"source_file": names_by_number(files), "batch_id": batch_id})
        write_staged(named, plan).append()


    def days_just_staged(spark: SparkSession, plan: Plan) -> list[datetime.date]:
        """The days whose files any snapshot of the branch has changed since it left what readers see."""
        table = iceberg_table(spark, table_name(plan, EVENTS))
        seen = table.currentSnapshot()
        since = snapshots_since(table, table.snapshot(STAGING), None if seen is None else str(seen.snapshotId()))
        return sorted({day for snapshot in since or [] for day in days_changed(spark, table, snapshot)})
  `,
});
