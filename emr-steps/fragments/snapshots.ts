/** Iceberg snapshots: a step names the exact data that it read and wrote, and removes what is too old to be asked for. */
import { SNAPSHOT_RETENTION_DAYS } from '../../lib/domain/lake.ts';
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
