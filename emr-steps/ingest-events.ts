/**
 * IngestEvents: raw JSON -> events, user_days and page_days; refused rows -> quarantined_events; the batch -> ledger.
 * May be run any number of times, after a crash anywhere, with the same rows and the same counts.
 * Fails, with nothing published, when a file cannot be read to its end, when too many rows are refused,
 * or when the rows read, accepted, refused and duplicate, each counted separately, do not add up.
 */
import { ingestResultSchema } from '../domain/results.ts';
import { python } from './composition/python.ts';
import { batch } from './fragments/batch.ts';
import { drafts } from './fragments/drafts.ts';
import { eventsTable } from './fragments/events-table.ts';
import { files } from './fragments/files.ts';
import { icebergTables, javaErrors } from './fragments/jvm.ts';
import { lakeFormat } from './fragments/lake-format.ts';
import { adaptedRows, batchChecks, ledgerRows } from './fragments/ledger.ts';
import { pageDays } from './fragments/page-days.ts';
import { quarantine } from './fragments/quarantine.ts';
import { rawLines } from './fragments/raw-lines.ts';
import { repeatedEvents } from './fragments/repeated-events.ts';
import { newestSnapshot, snapshotExpiry } from './fragments/snapshots.ts';
import { staging } from './fragments/staging.ts';
import { stepError } from './fragments/step-error.ts';
import { tableName } from './fragments/table-name.ts';
import { ingestTypes, planTypes } from './fragments/types.ts';
import { upkeep } from './fragments/upkeep.ts';
import { userDays } from './fragments/user-days.ts';
import { versions } from './fragments/versions.ts';
import { defineStep } from './step.ts';

export const ingestEvents = defineStep({
  name: 'ingest-events',
  summary: 'Ingests a batch of raw event files into the lake, exactly once.',
  result: ingestResultSchema,
  uses: [
    ...[
      planTypes,
      ingestTypes,
      tableName,
      stepError,
      files,
      javaErrors,
      icebergTables,
      newestSnapshot,
      snapshotExpiry,
    ],
    ...[
      rawLines,
      eventsTable,
      staging,
      quarantine,
      ledgerRows,
      adaptedRows,
      batchChecks,
      versions,
      lakeFormat,
    ],
    ...[batch, userDays, pageDays, repeatedEvents, drafts, upkeep],
  ],
  imports: [
    'from typing import NamedTuple',
    'from pyspark.sql import SparkSession',
    'from pyspark.sql import functions as F',
  ],
  run: python`
    def unreadable_file(spark: SparkSession, batch: Batch) -> str | None:
        """The first file that cannot be read to its end: Spark's own error does not name it."""
        for file in batch["files"]:
            uri = file["uri"]
            is_packed = is_packed_in_capitals(uri)
            try:
                lines = cut_lines(spark, {0: uri}) if is_packed else read_lines(spark, [uri])
                lines.count()
            except QUERY_ERRORS:
                return file["uri"]
        return None


    class Ingested(NamedTuple):
        """What the batch has come to."""

        ledger: list[LedgerRow]
        # None when that is no longer known.
        changes: EventChanges | None
        refusals: Refusals
        # Events of the batch that are in the lake.
        held: int
        # Days of user_days that were computed again.
        recomputed: int


    def ingest_batch(spark: SparkSession, plan: Plan, files: Files) -> Ingested:
        """Publishes the batch, unless that was done already, and finishes it."""
        batch_id = plan["batch"]["batchId"]
        finished, recomputed = finish_published(spark, plan, files)
        if files.exists(ledger_uri(plan, batch_id)):
            known = read_draft(files, plan, batch_id)
            recomputed += refresh_user_days(spark, plan)
            return Ingested(
                read_ledger(files, plan, batch_id),
                None if known is None else known["changes"],
                quarantined(spark, plan),
                # Since then, users may have been forgotten: what is there is counted, and may be less.
                spark.table(table_name(plan, EVENTS)).where(F.col("batch_id") == batch_id).count(),
                recomputed,
            )
        plan = {**plan, "abandonedBatchIds": [id for id in plan["abandonedBatchIds"] if id not in finished]}
        declare_format(files, plan)
        former = former_versions(files, plan, finished)
        try:
            staged = stage_batch(spark, plan, former)
        except QUERY_ERRORS as error:
            culprit = unreadable_file(spark, plan["batch"])
            if culprit is None:
                raise
            raise StepError(
                f"{culprit} cannot be read to its end",
                "the upload was cut short, the file is not the gzip its name says, or it was removed meanwhile",
                "deliver the whole file again, then start a new run; nothing of this batch was published",
            ) from error
        refusals = quarantined(spark, plan)
        check_accounts(staged.ledger, sum(refusals.reasons.values()))
        check_changes(staged.ledger, staged.changes)
        draft: Draft = {
            "batchId": batch_id,
            "ledger": staged.ledger,
            "changes": staged.changes,
            "hasCopies": staged.has_copies,
            # Of files that a release without days ingested, the quarantine may hold rows of all earlier versions.
            "formerlyRefused": sorted(
                uri for uri, row in former.items() if row["rows_quarantined"] > 0 or row.get("days") is None
            ),
        }
        files.write_json(draft_uri(plan, batch_id), draft)
        publish_staged(spark, plan)
        recomputed += finish_batch(spark, plan, files, draft)
        return Ingested(staged.ledger, staged.changes, refusals, staged.held, recomputed)


    def run(spark: SparkSession, plan: Plan) -> IngestResult:
        """Ingests the batch, brings what is counted from events up to date and enters the batch in the ledger."""
        # A stage without rows would otherwise be replaced by nothing, and its observation never arrive.
        spark.conf.set(
            "spark.sql.adaptive.optimizer.excludedRules",
            "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation",
        )
        # Sketches are kept in a hash map; the default gives up after 128 users a task and sorts all events again.
        spark.conf.set("spark.sql.objectHashAggregate.sortBased.fallbackThreshold", "100000")
        spark.conf.set("spark.sql.shuffle.partitions", str(plan["ingest"]["shufflePartitions"]))
        ledger, changes, refusals, held, recomputed = ingest_batch(spark, plan, Files(spark))
        refresh_page_days(spark, plan)
        close_staging(spark, plan)
        copies = [REPEATED] if holds_copies(spark, plan) else []
        compaction = compact(spark, plan, [EVENTS, USER_DAYS, QUARANTINE, *copies])
        expire_snapshots(spark, plan, [EVENTS, USER_DAYS], SNAPSHOT_RETENTION_DAYS)
        # What is deleted from the quarantine and from copies is deleted for good: no model was trained on it. Of the
        # counts by page only the newest are read.
        expire_snapshots(spark, plan, [QUARANTINE, *copies, PAGE_DAYS], 1)
        orphans_removed = remove_orphans(spark, plan)

        events = table_name(plan, EVENTS)
        files = [row for row in ledger if not row.get("taken_out")]
        first_days = [day for row in files if (day := row.get("first_day")) is not None]
        last_days = [day for row in files if (day := row.get("last_day")) is not None]
        return {
            "counts": {
                "read": sum(row["rows_read"] for row in ledger),
                "accepted": sum(row["rows_accepted"] for row in ledger),
                "quarantined": sum(row["rows_quarantined"] for row in ledger),
                "duplicates": sum(row["rows_duplicate"] for row in ledger),
            },
            "changes": changes,
            "lake": {"events": events_in(spark, plan, iceberg_table(spark, events).currentSnapshot())},
            "refused": refusals.reasons,
            "examples": refusals.examples,
            "refusedFiles": refusals.files,
            "findings": refusals.findings,
            "adapted": adapted_rows(ledger),
            "filesRead": sum(not row.get("passed_over") for row in files),
            "passedOver": passed_over_by_reason(files),
            "withoutEvents": files_without_events(files),
            "bytesRead": sum(row["bytes"] for row in files),
            "held": {"events": held, "quarantined": sum(refusals.reasons.values())},
            "firstDay": min(first_days, default=None),
            "lastDay": max(last_days, default=None),
            "daysRecomputed": recomputed,
            "upkeep": {
                "filesCompacted": compaction.rewritten,
                "filesWritten": compaction.written,
                "orphansRemoved": orphans_removed,
            },
            "snapshots": {
                "events": newest_snapshot(spark, events),
                "user_days": newest_snapshot(spark, table_name(plan, USER_DAYS)),
            },
        }
  `,
});
