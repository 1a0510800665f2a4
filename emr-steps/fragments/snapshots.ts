/** Iceberg snapshots: a step names the exact data that it read and wrote, and removes what is too old to be asked for. */
import { SNAPSHOT_RETENTION_DAYS } from '../../domain/lake.ts';
import { python } from '../python.ts';

export const snapshotFunctions = python`
  def iceberg_table(spark: SparkSession, table: str):
      """The table as Iceberg itself knows it, up to date: its metadata without a query."""
      loaded = spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, table)
      loaded.refresh()
      return loaded


  def newest_snapshot(spark: SparkSession, table: str) -> str | None:
      """The snapshot that readers see, as text: its number exceeds what JSON readers hold exactly."""
      snapshot = iceberg_table(spark, table).currentSnapshot()
      return None if snapshot is None else str(snapshot.snapshotId())
`;

/** For steps that read what an earlier one has written. */
export const snapshotReading = python`
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
`;

/** For steps that pass on what has changed in a table by days; needs `import datetime` and `import itertools`. */
export const snapshotChanges = python`
  def snapshots_since(table, head, known: str | None) -> list | None:
      """The snapshots that led from a known one to the head, or all when none is known.

      None when they are not all there any more: snapshots expire.
      """
      since, snapshot = [], head
      while snapshot is not None and str(snapshot.snapshotId()) != known:
          since.append(snapshot)
          if snapshot.parentId() is None:
              return since if known is None else None
          snapshot = table.snapshot(snapshot.parentId())
      return None if snapshot is None else since


  def days_changed(spark: SparkSession, table, snapshot) -> set[datetime.date]:
      """The days to which a snapshot added files, or from which it removed some: of rows, or of their deletions."""
      integer, io = spark._jvm.java.lang.Class.forName("java.lang.Integer"), table.io()
      files = itertools.chain(
          snapshot.addedDataFiles(io),
          snapshot.removedDataFiles(io),
          snapshot.addedDeleteFiles(io),
          snapshot.removedDeleteFiles(io),
      )
      numbers = {file.partition().get(0, integer) for file in files}
      return {datetime.date(1970, 1, 1) + datetime.timedelta(days=number) for number in numbers}
`;

/** For steps that write tables; needs `import datetime`. */
export const snapshotExpiry = python`
  SNAPSHOT_RETENTION_DAYS = ${SNAPSHOT_RETENTION_DAYS}


  def expire_snapshots(spark: SparkSession, plan: dict, tables: list[str], days: int) -> None:
      """Removes snapshots that are so many days old, with the files that only they use.

      What a branch points at stays, so a batch that is under way loses nothing.
      """
      planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
      oldest = planned_at - datetime.timedelta(days=days)
      for table in tables:
          iceberg_table(spark, table).expireSnapshots().expireOlderThan(int(oldest.timestamp() * 1000)).commit()
`;
