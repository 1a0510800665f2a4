/** Iceberg snapshots: a step names the exact data that it read and wrote, and removes what is older than the retention. */
import { SNAPSHOT_RETENTION_DAYS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { icebergTables } from './jvm.ts';
import { stepError } from './step-error.ts';
import { tableName } from './table-name.ts';
import { planTypes } from './types.ts';

export const newestSnapshot = fragment({
  file: import.meta.url,
  needs: [icebergTables],
  imports: ['from pyspark.sql import SparkSession'],
  code: python`
    def newest_snapshot(spark: SparkSession, table: str) -> str | None:
        """The snapshot that readers see, as text: its number exceeds what JSON readers hold exactly."""
        snapshot = iceberg_table(spark, table).currentSnapshot()
        return None if snapshot is None else str(snapshot.snapshotId())
  `,
});

/** For steps that read what an earlier one has written. */
export const snapshotReading = fragment({
  file: import.meta.url,
  needs: [newestSnapshot, stepError],
  imports: ['from pyspark.sql import DataFrame, SparkSession'],
  code: python`
    def current_snapshot(spark: SparkSession, table: str) -> str:
        """The snapshot that readers see; a table without one was never filled."""
        snapshot = newest_snapshot(spark, table)
        if snapshot is None:
            raise StepError(
                f"the table {table} has no snapshot",
                "the step that fills it has not run, or found nothing to write",
                "run the pipeline from its first step",
            )
        return snapshot


    def read_snapshot(spark: SparkSession, table: str, snapshot: str) -> DataFrame:
        """The table's rows as of one snapshot."""
        return spark.read.option("snapshot-id", snapshot).table(table)
  `,
});

/** For steps that recompute what has changed in a table that is partitioned by day. */
export const snapshotChanges = fragment({
  file: import.meta.url,
  needs: [icebergTables],
  imports: [
    'import datetime',
    'import itertools',
    'from collections.abc import Iterable',
    'from pyspark.sql import SparkSession',
  ],
  constants: python`
    # The operation of a snapshot that wrote the same rows into other files.
    REPLACE = ${'replace'}
  `,
  code: python`
    def snapshots_since(
        table: IcebergTable, head: IcebergSnapshot | None, known: str | None
    ) -> list[IcebergSnapshot] | None:
        """The snapshots that led from a known one to the head, or all when none is known.

        None when some of them are missing: snapshots expire.
        """
        since: list[IcebergSnapshot] = []
        snapshot = head
        while snapshot is not None and str(snapshot.snapshotId()) != known:
            since.append(snapshot)
            parent = snapshot.parentId()
            if parent is None:
                return since if known is None else None
            snapshot = table.snapshot(parent)
        return None if snapshot is None else since


    def last_change(table: IcebergTable) -> IcebergSnapshot | None:
        """The newest snapshot that changed rows, and says what they were computed from: compaction says nothing.

        None when there is none, or when it has expired.
        """
        snapshot = table.currentSnapshot()
        while snapshot is not None and snapshot.operation() == REPLACE:
            parent = snapshot.parentId()
            snapshot = None if parent is None else table.snapshot(parent)
        return snapshot


    def days_changed(spark: SparkSession, table: IcebergTable, snapshot: IcebergSnapshot) -> set[datetime.date]:
        """The days to which a snapshot added files, or from which it removed some: of rows, or of their deletions."""
        io = table.io()
        files = itertools.chain(
            snapshot.addedDataFiles(io),
            snapshot.removedDataFiles(io),
            snapshot.addedDeleteFiles(io),
            snapshot.removedDeleteFiles(io),
        )
        return set(days_of_files(spark, files))


    def days_of_files(spark: SparkSession, files: Iterable[IcebergFile]) -> list[datetime.date]:
        """The day of each file."""
        first = datetime.date(1970, 1, 1)
        return [first + datetime.timedelta(days=number) for number in partition_numbers(spark, files)]


    def days_changed_by_all(
        spark: SparkSession, table: IcebergTable, snapshots: list[IcebergSnapshot]
    ) -> set[datetime.date]:
        """The days whose files are others after the snapshots, the newest first: what one added and another removed is no change.

        Compaction changes files and no rows: its snapshots do not count.
        """
        counted = [snapshot for snapshot in snapshots if snapshot.operation() != REPLACE]
        if len(counted) == 1:
            return days_changed(spark, table, counted[0])
        io = table.io()
        added: dict[str, datetime.date] = {}
        removed: set[datetime.date] = set()
        for snapshot in reversed(counted):
            taken = [*snapshot.removedDataFiles(io), *snapshot.removedDeleteFiles(io)]
            for file, day in zip(taken, days_of_files(spark, taken), strict=True):
                if added.pop(file.location(), None) is None:
                    removed.add(day)
            given = [*snapshot.addedDataFiles(io), *snapshot.addedDeleteFiles(io)]
            for file, day in zip(given, days_of_files(spark, given), strict=True):
                added[file.location()] = day
        return removed | set(added.values())
  `,
});

/** For steps that write tables. */
export const snapshotExpiry = fragment({
  file: import.meta.url,
  needs: [icebergTables, planTypes, tableName],
  imports: ['import datetime', 'from pyspark.sql import SparkSession'],
  constants: python`SNAPSHOT_RETENTION_DAYS = ${SNAPSHOT_RETENTION_DAYS}`,
  code: python`
    def expire_snapshots(spark: SparkSession, plan: Plan, tables: list[str], days: int) -> None:
        """Removes snapshots that are so many days old, with the files that only they use.

        A snapshot that a branch points at stays, so an unfinished batch loses nothing.
        """
        planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
        oldest = planned_at - datetime.timedelta(days=days)
        for table in tables:
            expiry = iceberg_table(spark, table_name(plan, table)).expireSnapshots()
            expiry.expireOlderThan(int(oldest.timestamp() * 1000)).commit()
  `,
});
