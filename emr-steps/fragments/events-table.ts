/** The table `events`: which rows of a batch it holds, what they are, and how they are deleted. */
import { EVENTS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { sqlText } from './sql.ts';

/** What makes two rows of a user and day the same event. */
export const EVENT_KEY = ['event_time', 'session_id', 'item_in_session', 'page'];

/** Columns that say where a row came from, and not what it is. */
const PROVENANCE = ['source_file', 'batch_id'];
const VALUES = EVENTS.columns.map(({ name }) => name).filter((name) => !PROVENANCE.includes(name));

/** Spark's hash passes over what is null: without the second part, a value could change its column unnoticed. */
const ROW_HASH = [
  `XXHASH64(\n  ${VALUES.join(',\n  ')},`,
  `  ${VALUES.map((name, index) => `IF(${name} IS NULL, ${2 ** index}, 0)`).join(' +\n  ')})`,
].join('\n');

export const eventsTable = fragment({
  file: import.meta.url,
  imports: ['from pyspark.sql import Row, SparkSession', 'from pyspark.sql import functions as F'],
  constants: python`
    EVENTS = ${EVENTS.name}

    # What makes two rows of a user and day the same event.
    EVENT_KEY = ${EVENT_KEY}
    # What a row is, whatever file it came in.
    ROW_HASH = ${sqlText(ROW_HASH)}
  `,
  code: python`
    def rows_of_batch(spark: SparkSession, table: str, batch_id: str) -> list[Row]:
        """The batch's events in the table or on the branch, counted again: rows by day and file."""
        of_batch = spark.table(table).where(F.col("batch_id") == batch_id)
        return of_batch.groupBy("event_date", "source_file").agg(F.count("*").alias("rows")).collect()


    def content_of_batch(spark: SparkSession, table: str, batch_id: str) -> list[Row]:
        """The same, with a hash of these rows that their order does not change: the sums of the two halves of each row's."""
        of_batch = spark.table(table).where(F.col("batch_id") == batch_id)
        hashed = of_batch.select("event_date", "source_file", F.expr(ROW_HASH).alias("hash"))
        low, high = F.expr("SUM(hash & 4294967295)"), F.expr("SUM(SHIFTRIGHTUNSIGNED(hash, 32))")
        return (
            hashed.groupBy("event_date", "source_file")
            .agg(F.count("*").alias("rows"), F.concat_ws(".", F.hex(high), F.hex(low)).alias("hash"))
            .collect()
        )


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
