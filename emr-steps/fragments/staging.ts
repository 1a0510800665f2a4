/** Staging: a batch becomes events on a branch that no reader sees, and is published in one commit. */
import { CATALOG, DATABASE, EVENTS, STAGING_BRANCH, sparkTableName } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { eventsTable } from './events-table.ts';
import { fileNumbers } from './file-numbers.ts';
import { icebergTables } from './jvm.ts';
import { snapshotChanges } from './snapshots.ts';
import { createTable } from './tables.ts';
import { planTypes } from './types.ts';

/**
 * Columns with more distinct values than this are written plain. To look up every artist, song and user agent costs a
 * twentieth of ingest; not to do so makes the table larger by a fifth.
 */
const DICTIONARY_BYTES = 2_048;

export const staging = fragment({
  file: import.meta.url,
  needs: [planTypes, icebergTables, snapshotChanges, fileNumbers, eventsTable],
  imports: [
    'import datetime',
    'from pyspark.sql import DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
    'from pyspark.sql.readwriter import DataFrameWriterV2',
  ],
  constants: python`
    STAGED_EVENTS = ${`${sparkTableName(EVENTS)}.branch_${STAGING_BRANCH}`}
    CREATE_EVENTS = ${createTable(EVENTS, { 'write.parquet.dict-size-bytes': String(DICTIONARY_BYTES) })}
    OPEN_STAGING = ${`ALTER TABLE ${sparkTableName(EVENTS)} CREATE BRANCH ${STAGING_BRANCH}`}
    PUBLISH = ${`CALL ${CATALOG}.system.fast_forward('${DATABASE}.${EVENTS.name}', 'main', '${STAGING_BRANCH}')`}
    STAGING = ${STAGING_BRANCH}
    CLOSE_STAGING = ${`ALTER TABLE ${sparkTableName(EVENTS)} DROP BRANCH IF EXISTS ${STAGING_BRANCH}`}

    # Property of a snapshot of events: the batch that it was written for.
    WRITTEN_FOR = ${'written-for-batch'}

    EVENT_NAMES = ${EVENTS.columns.map((column) => column.name)}
  `,
  code: python`
    def open_staging(spark: SparkSession, plan: Plan) -> None:
        """Opens the branch on what readers see now, without the rows of unfinished batches and of earlier tries."""
        batch_id = plan["batch"]["batchId"]
        spark.sql(CREATE_EVENTS)
        snapshots = iceberg_table(spark, EVENTS).snapshots()
        tried = any(snapshot.summary().get(WRITTEN_FOR) == batch_id for snapshot in snapshots)
        unfinished = plan["abandonedBatchIds"] + ([batch_id] if tried else [])
        # A branch cannot be replaced while readers see no snapshot: a first try that published nothing has left it.
        spark.sql(CLOSE_STAGING)
        spark.sql(OPEN_STAGING)
        forget_batches(spark, STAGED_EVENTS, unfinished)


    def by_day(rows: DataFrame, tasks: int, slices: int) -> DataFrame:
        """Brings the rows of a day into one task; of a large day, those of each slice of its users."""
        sliced = rows.withColumn("slice", F.expr(f"PMOD(HASH(user_id), {slices})") if slices > 1 else F.lit(0))
        return sliced.repartition(tasks, "event_date", *(["slice"] if slices > 1 else []))


    def write_staged(rows: DataFrame, plan: Plan) -> DataFrameWriterV2:
        """A writer of the branch. A task that holds several days meets them by user: a file stays open for each."""
        writer = rows.select(*EVENT_NAMES).writeTo(STAGED_EVENTS).option("fanout-enabled", "true")
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


    def days_just_staged(spark: SparkSession) -> list[datetime.date]:
        """The days whose files any snapshot of the branch has changed since it left what readers see."""
        table = iceberg_table(spark, EVENTS)
        seen = table.currentSnapshot()
        since = snapshots_since(table, table.snapshot(STAGING), None if seen is None else str(seen.snapshotId()))
        return sorted({day for snapshot in since or [] for day in days_changed(spark, table, snapshot)})
  `,
});
