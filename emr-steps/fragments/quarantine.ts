/** The quarantine: refused rows with their reason and their file, shortened, the names of people blanked. */
import { PERSONAL_COLUMNS } from '../../domain/events.ts';
import { QUARANTINE_RETENTION_DAYS, QUARANTINED_EVENTS, QUARANTINED_LINE_BYTES } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { eventRows } from './event-rows.ts';
import { eventsTable } from './events-table.ts';
import { newestSnapshot } from './snapshots.ts';
import { tableName } from './table-name.ts';
import { createTable } from './tables.ts';
import { ingestTypes, planTypes } from './types.ts';

const PERSONAL = PERSONAL_COLUMNS.join('|');
/** A personal field as JSON writes it, with what must follow it; possessive, so it cannot run away. */
const PERSONAL_FIELD = `"(${PERSONAL})"\\s*:\\s*"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"(?=\\s*[,}])`;
/** The name of a personal field, whatever follows it, unless that is nothing or was blanked. */
const PERSONAL_REST = `(?s)(${PERSONAL})(?!"\\s*:\\s*(?:null\\b|"\\[redacted\\]")).*`;

export const quarantine = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, ingestTypes, eventRows, eventsTable, newestSnapshot],
  imports: [
    'import datetime',
    'from typing import NamedTuple',
    'from pyspark.sql import Column, DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    QUARANTINE = ${QUARANTINED_EVENTS.name}
    CREATE_QUARANTINE = ${createTable(QUARANTINED_EVENTS)}

    PERSONAL_FIELD = ${PERSONAL_FIELD}
    PERSONAL_REST = ${PERSONAL_REST}
    LONGEST_LINE_BYTES = ${QUARANTINED_LINE_BYTES}
    RETENTION_DAYS = ${QUARANTINE_RETENTION_DAYS}
    MOST_EXAMPLES = 3
  `,
  code: python`
    def shortened(line: Column) -> Column:
        """The line with the names of people blanked, cut to what is kept of it.

        Where a line that is not JSON names a personal field, nothing is kept from there on: where the name would end
        cannot be known.
        """
        blanked = F.regexp_replace(line, PERSONAL_FIELD, '"$1":"[redacted]"')
        safe = F.regexp_replace(blanked, PERSONAL_REST, "$1 [redacted]")
        return F.decode(F.substring(F.encode(safe, "UTF-8"), 1, LONGEST_LINE_BYTES), "UTF-8")


    def forget_old_refusals(spark: SparkSession, plan: Plan) -> None:
        """Deletes refused rows that have been kept for as long as they may be."""
        planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
        oldest = (planned_at - datetime.timedelta(days=RETENTION_DAYS)).date()
        quarantine = table_name(plan, QUARANTINE)
        held = spark.table(f"{quarantine}.partitions")
        if held.where(F.col("partition.ingest_date") < F.lit(oldest)).limit(1).count() > 0:
            spark.sql(f"DELETE FROM {quarantine} WHERE ingest_date < DATE '{oldest}'")  # noqa: S608


    def quarantine_rows(
        spark: SparkSession,
        plan: Plan,
        files: dict[int, str],
        refused: dict[int, dict[int, int]],
        forgotten: ForgottenUsers | None,
    ) -> None:
        """Replaces what the quarantine holds of this batch, reading again only the files with defective rows.

        Nothing is kept of forgotten users' lines, so their rows are written from the counts.
        """
        batch = plan["batch"]
        quarantine = table_name(plan, QUARANTINE)
        spark.sql(CREATE_QUARANTINE.format(table=quarantine))
        if newest_snapshot(spark, quarantine) is not None:
            forget_old_refusals(spark, plan)
            forget_batches(spark, quarantine, [batch["batchId"], *plan["abandonedBatchIds"]])
        reasons = F.array(*[F.lit(reason) for reason in REFUSAL_REASONS])

        def keep(rows: DataFrame) -> None:
            of_batch = rows.select(
                F.lit(batch["ingestDate"]).cast("date").alias("ingest_date"),
                F.element_at(reasons, F.col("outcome")).alias("reason"),
                names_by_number(files),
                "line",
                F.lit(batch["batchId"]).alias("batch_id"),
            )
            # One file; a shuffle, for without it one task would do all that leads here as well.
            of_batch.repartition(1).writeTo(quarantine).append()

        defective = {number: files[number] for number in sorted(refused) if refused[number].keys() - {FORGOTTEN}}
        if defective:
            rows = read_rows(spark, plan, defective, forgotten, keep_line=True)
            defects = rows.where(f"outcome NOT IN (0, {FORGOTTEN})")
            keep(defects.withColumn("line", shortened(F.col("line"))))
        counts = [(number, of_file[FORGOTTEN]) for number, of_file in refused.items() if FORGOTTEN in of_file]
        if counts:
            rows = spark.createDataFrame(counts, "file_number int, rows int")
            repeated = rows.select("file_number", F.explode(F.sequence(F.lit(1), "rows")))
            keep(repeated.select("file_number", F.lit(FORGOTTEN).alias("outcome"), F.lit("").alias("line")))


    class Refusals(NamedTuple):
        """Refused rows of a batch by reason, and an example of each of the most frequent reasons."""

        reasons: dict[RefusalCode, int]
        examples: list[RefusedExample]


    def quarantined(spark: SparkSession, plan: Plan) -> Refusals:
        """The refused rows of the batch, as the quarantine holds them."""
        quarantine = table_name(plan, QUARANTINE)
        if newest_snapshot(spark, quarantine) is None:
            return Refusals({}, [])
        rows = (
            spark.table(quarantine)
            .where(F.col("batch_id") == plan["batch"]["batchId"])
            .groupBy("reason")
            .agg(F.count("*").alias("rows"), F.min(F.struct("source_file", "line")).alias("example"))
            .orderBy(F.desc("rows"), "reason")
            .collect()
        )
        examples: list[RefusedExample] = [
            {"reason": row.reason, "file": row.example.source_file, "line": row.example.line}
            for row in rows
            if row.reason != REFUSAL_REASONS[FORGOTTEN - 1]
        ]
        return Refusals({row.reason: row["rows"] for row in rows}, examples[:MOST_EXAMPLES])
  `,
});
