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
    'from typing import NamedTuple',
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
    class Opened(NamedTuple):
        """The branch as it was opened: its number of events, and its snapshot if there is one."""

        events: int
        snapshot: str | None


    def open_staging(spark: SparkSession, plan: Plan) -> Opened:
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
        snapshot = iceberg_table(spark, events).snapshot(STAGING)
        opened = None if snapshot is None else str(snapshot.snapshotId())
        return Opened(events_in(spark, plan, snapshot), opened)


    def close_staging(spark: SparkSession, plan: Plan) -> None:
        """Removes the branch, if there is one."""
        spark.sql(CLOSE_STAGING.format(table=table_name(plan, EVENTS)))


    def events_in(spark: SparkSession, plan: Plan, snapshot: IcebergSnapshot | None) -> int:
        """The events in a snapshot, as Iceberg counts what it writes; counted where it only notes what was deleted."""
        if snapshot is None:
            return 0
        summary = snapshot.summary()
        if int(summary.get("total-delete-files") or 0) > 0:
            of_snapshot = spark.read.option("snapshot-id", str(snapshot.snapshotId()))
            return of_snapshot.table(table_name(plan, EVENTS)).count()
        return int(summary.get("total-records") or 0)


    def is_published(spark: SparkSession, plan: Plan, batch_id: str) -> bool:
        """Whether what readers see descends from a snapshot that was written for the batch."""
        table = iceberg_table(spark, table_name(plan, EVENTS))
        snapshot = table.currentSnapshot()
        while snapshot is not None:
            if snapshot.summary().get(WRITTEN_FOR) == batch_id:
                return True
            parent = snapshot.parentId()
            snapshot = None if parent is None else table.snapshot(parent)
        return False


    def publish_staged(spark: SparkSession, plan: Plan) -> None:
        """Shows readers what is on the branch, in one commit: the commit of the batch."""
        events = table_name(plan, EVENTS)
        table = iceberg_table(spark, events)
        staged, seen = table.snapshot(STAGING), table.currentSnapshot()
        # A batch that changes nothing has no snapshot of its own.
        if staged is not None and (seen is None or staged.snapshotId() != seen.snapshotId()):
            spark.sql(PUBLISH.format(table=events)).collect()


    def by_day(rows: DataFrame, tasks: int, slices: int) -> DataFrame:
        """Brings the rows of a day into one task; of a large day, those of each slice of its users."""
        sliced = rows.withColumn("slice", F.expr(f"PMOD(HASH(user_id), {slices})") if slices > 1 else F.lit(0))
        return sliced.repartition(tasks, "event_date", *(["slice"] if slices > 1 else []))


    def write_staged(rows: DataFrame, plan: Plan) -> DataFrameWriterV2:
        """A writer of the branch. Rows need not come day by day: a file stays open for each."""
        staged = table_name(plan, STAGED_EVENTS)
        writer = rows.select(*EVENT_NAMES).writeTo(staged).option("fanout-enabled", "true")
        return writer.option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])


    def stage_new_rows(events: DataFrame, plan: Plan, files: dict[int, str]) -> None:
        """Appends the batch's events to the branch, duplicates included: they are rare, and looked for once all are stored."""
        sizes = plan["ingest"]
        days = by_day(events, sizes["shufflePartitions"], sizes["slicesPerDay"])
        ordered = days.sortWithinPartitions("sort_key")
        batch_id = F.lit(plan["batch"]["batchId"])
        named = ordered.withColumns({"source_file": names_by_number(files), "batch_id": batch_id})
        write_staged(named, plan).append()


    def files_staged(spark: SparkSession, plan: Plan, opened: Opened) -> list[tuple[IcebergFile, datetime.date]]:
        """The files of rows, with their days, that were put on the branch since it was opened and are there still."""
        table = iceberg_table(spark, table_name(plan, EVENTS))
        io = table.io()
        staged: dict[str, IcebergFile] = {}
        for snapshot in reversed(snapshots_since(table, table.snapshot(STAGING), opened.snapshot) or []):
            for file in snapshot.removedDataFiles(io):
                staged.pop(file.location(), None)
            staged.update((file.location(), file) for file in snapshot.addedDataFiles(io))
        files = list(staged.values())
        return list(zip(files, days_of_files(spark, files), strict=True))


    def unstage_days(spark: SparkSession, plan: Plan, opened: Opened, days: set[datetime.date]) -> None:
        """Takes what was put on the branch for these days off again: it would change no event."""
        unstaged = [file for file, day in files_staged(spark, plan, opened) if day in days]
        if not unstaged:
            return
        delete = iceberg_table(spark, table_name(plan, EVENTS)).newDelete()
        for file in unstaged:
            delete.deleteFile(file)
        delete.set(WRITTEN_FOR, plan["batch"]["batchId"]).toBranch(STAGING).commit()
  `,
});
