/** The table `events`: which rows of a batch it holds, and how they are deleted. */
import { EVENTS, sparkTableName } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

export const eventsTable = fragment({
  file: import.meta.url,
  imports: ['from pyspark.sql import Row, SparkSession', 'from pyspark.sql import functions as F'],
  constants: python`EVENTS = ${sparkTableName(EVENTS)}`,
  code: python`
    def rows_of_batch(spark: SparkSession, table: str, batch_id: str) -> list[Row]:
        """The batch's events in the table or on the branch, counted again: rows by day and file."""
        of_batch = spark.table(table).where(F.col("batch_id") == batch_id)
        return of_batch.groupBy("event_date", "source_file").agg(F.count("*").alias("rows")).collect()


    def forget_files(spark: SparkSession, table: str, batch_id: str, uris: list[str]) -> None:
        """Deletes the batch's rows of these files."""
        spark.createDataFrame([(uri,) for uri in uris], "uri string").createOrReplaceTempView("files_to_forget")
        of_file = "source_file IN (SELECT uri FROM files_to_forget)"
        spark.sql(f"DELETE FROM {table} WHERE batch_id = '{batch_id}' AND {of_file}")  # noqa: S608


    def forget_batches(spark: SparkSession, table: str, batch_ids: list[str]) -> None:
        """Deletes the rows of batches that were begun and not finished."""
        literals = ", ".join(f"'{batch_id}'" for batch_id in sorted(set(batch_ids)))
        if literals and spark.table(table).where(f"batch_id IN ({literals})").limit(1).count() > 0:
            spark.sql(f"DELETE FROM {table} WHERE batch_id IN ({literals})")  # noqa: S608
  `,
});
