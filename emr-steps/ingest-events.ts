/**
 * IngestEvents: raw JSON -> events and user_days; refused rows -> quarantined_events; the batch -> ledger, last of all.
 * May be run any number of times, after a crash anywhere, with the same rows and the same counts.
 * Fails, with nothing published, when a file cannot be read to its end, when too many rows are refused,
 * or when the rows read, accepted, refused and duplicate, each counted separately, do not add up.
 */
import { ingestResultSchema } from '../domain/results.ts';
import { python } from './composition/python.ts';
import { batch } from './fragments/batch.ts';
import { eventsTable } from './fragments/events-table.ts';
import { files } from './fragments/files.ts';
import { javaErrors } from './fragments/jvm.ts';
import { adaptedRows, batchChecks, ledgerRows } from './fragments/ledger.ts';
import { quarantine } from './fragments/quarantine.ts';
import { rawLines } from './fragments/raw-lines.ts';
import { newestSnapshot, snapshotExpiry } from './fragments/snapshots.ts';
import { staging } from './fragments/staging.ts';
import { stepError } from './fragments/step-error.ts';
import { ingestTypes, planTypes } from './fragments/types.ts';
import { userDays } from './fragments/user-days.ts';
import { defineStep } from './step.ts';

export const ingestEvents = defineStep({
  name: 'ingest-events',
  summary: 'Ingests a batch of raw event files into the lake, exactly once.',
  result: ingestResultSchema,
  uses: [
    ...[planTypes, ingestTypes, stepError, files, javaErrors, newestSnapshot, snapshotExpiry],
    ...[rawLines, eventsTable, staging, quarantine, ledgerRows, adaptedRows, batchChecks, batch, userDays],
  ],
  imports: ['import json', 'from typing import NamedTuple', 'from pyspark.sql import Row, SparkSession'],
  run: python`
    class Ingested(NamedTuple):
        """The ledger's rows, the batch's events by day and file, and its refused rows."""

        ledger: list[LedgerRow]
        events: list[Row]
        refusals: Refusals


    def unreadable_file(spark: SparkSession, batch: Batch) -> str | None:
        """The first file that cannot be read to its end: Spark's own error does not name it."""
        for file in batch["files"]:
            try:
                spark.read.text(literal_path(file["uri"])).count()
            except QUERY_ERRORS:
                return file["uri"]
        return None


    def ingest_batch(spark: SparkSession, plan: Plan, files: Files) -> Ingested:
        """Publishes the batch, unless the ledger says that it was ingested already."""
        batch_id, ledger_uri = plan["batch"]["batchId"], plan["outputs"]["ledger"]
        if files.exists(ledger_uri):
            ledger: list[LedgerRow] = [json.loads(line) for line in files.read_text(ledger_uri).splitlines()]
            # Since then, users may have been forgotten: what is there is counted, and may be less.
            return Ingested(ledger, rows_of_batch(spark, EVENTS, batch_id), quarantined(spark, batch_id))
        try:
            ledger, events = stage_batch(spark, plan)
        except QUERY_ERRORS as error:
            culprit = unreadable_file(spark, plan["batch"])
            if culprit is None:
                raise
            raise StepError(
                f"{culprit} cannot be read to its end",
                "the upload was cut short, the file is not the gzip its name says, or it was removed meanwhile",
                "deliver the whole file again, then start a new run; nothing of this batch was published",
            ) from error
        refusals = quarantined(spark, batch_id)
        check_accounts(ledger, sum(refusals.reasons.values()))
        spark.sql(PUBLISH).collect()
        return Ingested(ledger, events, refusals)


    def run(spark: SparkSession, plan: Plan) -> IngestResult:
        """Ingests the batch, brings user_days up to date and enters the batch in the ledger."""
        # A stage without rows would otherwise be replaced by nothing, and its observation never arrive.
        spark.conf.set(
            "spark.sql.adaptive.optimizer.excludedRules",
            "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation",
        )
        # Sketches are kept in a hash map; the default gives up after 128 users a task and sorts all events again.
        spark.conf.set("spark.sql.objectHashAggregate.sortBased.fallbackThreshold", "100000")
        spark.conf.set("spark.sql.shuffle.partitions", str(plan["ingest"]["shufflePartitions"]))
        files = Files(spark)
        ledger, events, (reasons, examples, findings) = ingest_batch(spark, plan, files)
        recomputed = refresh_user_days(spark)
        files.write_text(plan["outputs"]["ledger"], "".join(json.dumps(row) + "\n" for row in ledger))
        spark.sql(CLOSE_STAGING)
        expire_snapshots(spark, plan, [EVENTS, USER_DAYS], SNAPSHOT_RETENTION_DAYS)
        # What is deleted from the quarantine is deleted for good: no model was trained on it.
        expire_snapshots(spark, plan, [QUARANTINE], 1)

        days = [row.event_date for row in events]
        return {
            "counts": {
                "read": sum(row["rows_read"] for row in ledger),
                "accepted": sum(row["rows_accepted"] for row in ledger),
                "quarantined": sum(row["rows_quarantined"] for row in ledger),
                "duplicates": sum(row["rows_duplicate"] for row in ledger),
            },
            "refused": reasons,
            "examples": examples,
            "findings": findings,
            "adapted": adapted_rows(ledger),
            "filesRead": len(ledger),
            "bytesRead": sum(row["bytes"] for row in ledger),
            "held": {"events": sum(row["rows"] for row in events), "quarantined": sum(reasons.values())},
            "firstDay": str(min(days)) if days else None,
            "lastDay": str(max(days)) if days else None,
            "daysRecomputed": recomputed,
            "snapshots": {
                "events": newest_snapshot(spark, EVENTS),
                "user_days": newest_snapshot(spark, USER_DAYS),
            },
        }
  `,
});
