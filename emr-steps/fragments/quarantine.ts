/** The quarantine: refused rows with their reason, their file, and what is kept of the line. */
import { QUARANTINE_RETENTION_DAYS, QUARANTINED_EVENTS } from '../../domain/lake.ts';
import { MOST_FINDINGS, MOST_REFUSED_FILES } from '../../domain/results.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { eventRows } from './event-rows.ts';
import { eventsTable } from './events-table.ts';
import { refusedLines } from './refused-lines.ts';
import { secondLook } from './second-look.ts';
import { newestSnapshot } from './snapshots.ts';
import { tableName } from './table-name.ts';
import { createTable } from './tables.ts';
import { ingestTypes, planTypes } from './types.ts';

export const quarantine = fragment({
  file: import.meta.url,
  needs: [
    ...[planTypes, tableName, ingestTypes, eventRows, secondLook, refusedLines],
    ...[eventsTable, newestSnapshot],
  ],
  imports: [
    'import datetime',
    'from typing import NamedTuple',
    'from pyspark import StorageLevel',
    'from pyspark.sql import DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    QUARANTINE = ${QUARANTINED_EVENTS.name}
    CREATE_QUARANTINE = ${createTable(QUARANTINED_EVENTS)}

    RETENTION_DAYS = ${QUARANTINE_RETENTION_DAYS}
    MOST_EXAMPLES = 3
    MOST_FINDINGS = ${MOST_FINDINGS}
    MOST_REFUSED_FILES = ${MOST_REFUSED_FILES}
  `,
  code: python`
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
        tolerated: Tolerated,
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
        readings: list[DataFrame] = []
        adapted = {number: uri for number, uri in defective.items() if number in tolerated.files}
        if adapted:
            readings.append(read_adapted_rows(spark, plan, adapted, tolerated.cut, forgotten))
        plain = {number: uri for number, uri in defective.items() if number not in adapted}
        if plain:
            readings.append(read_rows(spark, plan, plain, forgotten, keep_line=True))
        for rows in readings:
            defects = rows.where(f"outcome NOT IN (0, {FORGOTTEN})")
            keep(kept_lines(defects.select("file_number", "outcome", "line", "is_utf8")))
        counts = [(number, of_file[FORGOTTEN]) for number, of_file in refused.items() if FORGOTTEN in of_file]
        if counts:
            rows = spark.createDataFrame(counts, "file_number int, rows int")
            repeated = rows.select("file_number", F.explode(F.sequence(F.lit(1), "rows")))
            keep(repeated.select("file_number", F.lit(FORGOTTEN).alias("outcome"), F.lit("").alias("line")))


    def forget_former_refusals(spark: SparkSession, plan: Plan, batch_id: str, uris: list[str]) -> None:
        """Deletes the refused rows of former versions of these files."""
        quarantine = table_name(plan, QUARANTINE)
        if not uris or newest_snapshot(spark, quarantine) is None:
            return
        spark.createDataFrame([(uri,) for uri in uris], "uri string").createOrReplaceTempView("formerly_refused")
        of_file = "source_file IN (SELECT uri FROM formerly_refused)"
        spark.sql(f"DELETE FROM {quarantine} WHERE batch_id <> '{batch_id}' AND {of_file}")  # noqa: S608


    class Refusals(NamedTuple):
        """Refused rows of a batch by reason, an example of each of the most frequent ones, the files, and what was found."""

        reasons: dict[RefusalCode, int]
        examples: list[RefusedExample]
        files: list[RefusedFile]
        findings: list[Finding]


    def findings_of(refused: DataFrame) -> list[Finding]:
        """What was found in refused rows of the quarantine, each once with its rows and files, the most frequent first."""
        lines = refused.where("line <> ''").select(
            "reason", "source_file", F.from_json("line", f"found {FOUND}")["found"].alias("found")
        )
        each = lines.select("reason", "source_file", F.explode("found").alias("found"))
        counted = each.groupBy("reason", "found.column", "found.found", "found.word").agg(
            F.count("*").alias("rows"), F.countDistinct("source_file").alias("files")
        )
        frequent = counted.orderBy(F.desc("rows"), "reason", "column", "found", "word").limit(MOST_FINDINGS)
        return [
            {
                "reason": row.reason,
                "column": row["column"] or "",
                "found": row.found,
                "word": row.word,
                "rows": row["rows"],
                "files": row.files,
            }
            for row in frequent.collect()
        ]


    def files_refused_most(by_file: DataFrame) -> list[RefusedFile]:
        """The files with the most refused rows, each with its rows and an example by reason; takes "line"."""
        reasons = F.sort_array(F.collect_list(F.struct(F.expr("-rows").alias("order"), "reason", "line")))
        files = by_file.groupBy("source_file").agg(F.sum("rows").alias("rows"), reasons.alias("reasons"))
        most = files.orderBy(F.desc("rows"), "source_file").limit(MOST_REFUSED_FILES).collect()
        return [
            {
                "file": row.source_file,
                "rows": row["rows"],
                "reasons": {one.reason: -one.order for one in row.reasons},
                "examples": [{"reason": one.reason, "line": one.line} for one in row.reasons if one.line],
            }
            for row in most
        ]


    def quarantined(spark: SparkSession, plan: Plan) -> Refusals:
        """The refused rows of the batch, as the quarantine holds them."""
        quarantine = table_name(plan, QUARANTINE)
        if newest_snapshot(spark, quarantine) is None:
            return Refusals({}, [], [], [])
        of_batch = spark.table(quarantine).where(F.col("batch_id") == plan["batch"]["batchId"])
        # Both what follows is made of it: the quarantine is read once.
        by_file = (
            of_batch.groupBy("source_file", "reason")
            .agg(F.count("*").alias("rows"), F.min("line").alias("line"))
            .persist(StorageLevel.MEMORY_AND_DISK)
        )
        rows = (
            by_file.groupBy("reason")
            .agg(F.sum("rows").alias("rows"), F.min(F.struct("source_file", "line")).alias("example"))
            .orderBy(F.desc("rows"), "reason")
            .collect()
        )
        examples: list[RefusedExample] = [
            {"reason": row.reason, "file": row.example.source_file, "line": row.example.line}
            for row in rows
            if row.reason != REFUSAL_REASONS[FORGOTTEN - 1]
        ]
        reasons = {row.reason: row["rows"] for row in rows}
        files = files_refused_most(by_file) if reasons else []
        by_file.unpersist()
        return Refusals(reasons, examples[:MOST_EXAMPLES], files, findings_of(of_batch) if examples else [])
  `,
});
