/** Iceberg snapshots: a step names the exact data that it read and wrote. */
import { python } from '../python.ts';

export const snapshotFunctions = python`
  def current_snapshot(spark: SparkSession, table: str) -> str:
      """Id of the table's current snapshot, as text: it exceeds what JSON readers hold exactly."""
      reference = spark.table(f"{table}.refs").where("name = 'main'").select("snapshot_id").first()
      if reference is None:
          raise StepError(
              f"the table {table} has no snapshot",
              "the step that fills it has not run, or found nothing to write",
              "run the pipeline from its first step",
          )
      return str(reference.snapshot_id)


  def read_snapshot(spark: SparkSession, table: str, snapshot: str) -> DataFrame:
      """The table's rows as of one snapshot."""
      return spark.read.option("snapshot-id", snapshot).table(table)
`;
