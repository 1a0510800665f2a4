/**
 * IngestEvents: raw JSON -> events and user_days; refused rows -> quarantined_events; the batch -> ledger, last of all.
 * May be run any number of times, after a crash anywhere, with the same rows and the same counts.
 * Fails, with nothing published, when a file cannot be read to its end, when too many rows are refused,
 * or when the rows read, accepted, refused and repeated, each counted by itself, do not add up.
 */
import { EVENTS, INGEST_FILES, QUARANTINED_EVENTS, USER_DAYS } from '../domain/lake.ts';
import { ingestResultSchema } from '../domain/results.ts';
import { eventRows } from './fragments/event-rows.ts';
import { quarantine } from './fragments/quarantine.ts';
import { snapshotChanges, snapshotExpiry, snapshotFunctions } from './fragments/snapshots.ts';
import { staging } from './fragments/staging.ts';
import { userDays } from './fragments/user-days.ts';
import { python } from './python.ts';
import { defineStep } from './step.ts';

export const ingestEvents = defineStep({
  name: 'ingest-events',
  summary: 'Takes a batch of raw event files into the lake, exactly once.',
  reads: [EVENTS, QUARANTINED_EVENTS],
  writes: [EVENTS, QUARANTINED_EVENTS, USER_DAYS, INGEST_FILES],
  readsEventFiles: true,
  result: ingestResultSchema,
  imports: {
    standard: [
      'import collections',
      'import datetime',
      'import functools',
      'import itertools',
      'import math',
      'import re',
    ],
    thirdParty: [
      'from py4j.protocol import Py4JJavaError',
      'from pyspark.errors import AnalysisException',
      'from pyspark.sql import Column, DataFrame, Observation, SparkSession, Window',
      'from pyspark.sql import functions as F',
      'from pyspark.sql.readwriter import DataFrameWriterV2',
    ],
  },
  body: python`
    ${snapshotFunctions}


    ${snapshotChanges}


    ${snapshotExpiry}


    ${eventRows}


    ${staging}


    ${quarantine}


    ${userDays}


    def number_files(batch: dict) -> dict[int, str]:
        """The batch's files, numbered in the order of their names."""
        return dict(enumerate(sorted(file["uri"] for file in batch["files"])))


    def stage_batch(spark: SparkSession, plan: dict) -> tuple[list[dict], list]:
        """Brings the batch onto the branch and into the quarantine; returns the ledger's rows and the events by day and file."""
        batch = plan["batch"]
        files = number_files(batch)
        numbers = {uri: number for number, uri in files.items()}
        outcomes = Observation("outcomes")
        forgotten = forgotten_users(Files(spark), plan["lakeRoot"])
        rows = read_rows(spark, plan, files, forgotten)
        by_file_and_outcome = tally(f"file_number * {OUTCOMES} + outcome", len(files) * OUTCOMES)
        accepted = (
            rows.observe(outcomes, by_file_and_outcome.alias("by_file_and_outcome"))
            .where("outcome = 0")
            .selectExpr(*EVENT_COLUMNS, "file_number")
        )
        open_staging(spark, plan)
        stage_new_rows(accepted, plan, files)

        read, refused, defects = collections.Counter(), collections.defaultdict(dict), 0
        for code, count in counts_of(outcomes.get["by_file_and_outcome"]).items():
            number, outcome = divmod(code, OUTCOMES)
            read[number] += count
            if outcome > 0:
                refused[number][outcome] = count
                defects += count if outcome != FORGOTTEN else 0
        quarantine_rows(spark, plan, files, refused, forgotten)
        check_refused_share(spark, plan, defects, sum(read.values()))

        batch_id = batch["batchId"]
        events = rows_of_batch(spark, STAGED_EVENTS, batch_id)
        days = days_with_repeats(spark, days_just_staged(spark), are_large=plan["ingest"]["slicesPerDay"] > 1)
        duplicates = drop_repeats(spark, plan, days, numbers)
        if duplicates:
            events = rows_of_batch(spark, STAGED_EVENTS, batch_id)
        staged = collections.Counter()
        for row in events:
            staged[numbers[row.source_file]] += row["rows"]
        ledger = [
            {
                "uri": file["uri"],
                "etag": file["etag"],
                "bytes": file["bytes"],
                "batch_id": batch_id,
                "rows_read": read[number],
                "rows_accepted": staged[number],
                "rows_quarantined": sum(refused[number].values()),
                "rows_duplicate": duplicates[number],
            }
            for file in batch["files"]
            for number in [numbers[file["uri"]]]
        ]
        return ledger, events


    def check_refused_share(spark: SparkSession, plan: dict, refused: int, read: int) -> None:
        """Stops a run whose log is mostly not what it should be, before it costs more."""
        limit = plan["ingest"]["maxQuarantineShare"]
        if refused <= limit * read:
            return
        reasons, examples = quarantined(spark, plan["batch"]["batchId"])
        listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
        shown = "\n".join(f"{example['reason']} in {example['file']}: {example['line']}" for example in examples)
        raise StepError(
            f"{refused:,} of {read:,} rows were refused, more than the {limit:.1%} allowed: {listed}\n{shown}",
            "the exporter of the log has changed, or the files are not event files",
            f"mend the files, or allow a larger maxQuarantineShare; all refused rows are in {QUARANTINE}",
        )


    def check_accounts(ledger: list[dict], quarantined_rows: int) -> None:
        """Every row read must be accepted, refused or a repeat: four counts, each taken by itself."""
        for file in ledger:
            parts = file["rows_accepted"] + file["rows_quarantined"] + file["rows_duplicate"]
            if file["rows_read"] != parts:
                raise StepError(
                    f"{file['uri']}: {file['rows_read']:,} rows were read, but "
                    f"{file['rows_accepted']:,} accepted, "
                    f"{file['rows_quarantined']:,} refused and {file['rows_duplicate']:,} repeated",
                    "a stage of the job was run twice, or the file changed while it was read",
                    "resume the run: nothing was published, and the batch is taken in anew",
                )
        refused = sum(file["rows_quarantined"] for file in ledger)
        if refused != quarantined_rows:
            raise StepError(
                f"{refused:,} rows were refused, but the quarantine holds {quarantined_rows:,} of this batch",
                "a file changed between its two readings",
                "resume the run: nothing was published, and the batch is taken in anew",
            )


    def unreadable_file(spark: SparkSession, batch: dict) -> str | None:
        """The first file that cannot be read to its end: Spark's own error does not name it."""
        for file in batch["files"]:
            try:
                spark.read.text(literal_path(file["uri"])).count()
            except Exception:
                return file["uri"]
        return None


    def take_in(spark: SparkSession, plan: dict, files: Files) -> tuple[list[dict], list, tuple]:
        """Takes the batch in, unless the ledger says that it already is.

        Returns the ledger's rows, the batch's events by day and file, and its refused rows by reason with examples.
        """
        batch_id, ledger_uri = plan["batch"]["batchId"], plan["outputs"]["ledger"]
        if files.exists(ledger_uri):
            ledger = [json.loads(line) for line in files.read_text(ledger_uri).splitlines()]
            # Since then, users may have been forgotten: what is there is counted, and may be less.
            return ledger, rows_of_batch(spark, EVENTS, batch_id), quarantined(spark, batch_id)
        try:
            ledger, events = stage_batch(spark, plan)
        except (Py4JJavaError, AnalysisException) as error:
            culprit = unreadable_file(spark, plan["batch"])
            if culprit is None:
                raise
            raise StepError(
                f"{culprit} cannot be read to its end",
                "the upload was cut short, the file is not the gzip its name says, or it was removed meanwhile",
                "deliver the file again whole, then start a new run; nothing of this batch was published",
            ) from error
        refused = quarantined(spark, batch_id)
        check_accounts(ledger, sum(refused[0].values()))
        spark.sql(PUBLISH).collect()
        return ledger, events, refused


    def run(spark: SparkSession, plan: dict) -> dict:
        """Takes the batch in, brings user_days up to date and enters the batch in the ledger."""
        # A stage without rows would otherwise be replaced by nothing, and its observation never arrive.
        spark.conf.set(
            "spark.sql.adaptive.optimizer.excludedRules",
            "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation",
        )
        # Sketches are kept in a hash map; the default gives up after 128 users a task and sorts all events again.
        spark.conf.set("spark.sql.objectHashAggregate.sortBased.fallbackThreshold", "100000")
        spark.conf.set("spark.sql.shuffle.partitions", str(plan["ingest"]["shufflePartitions"]))
        files = Files(spark)
        ledger, events, (reasons, examples) = take_in(spark, plan, files)
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
