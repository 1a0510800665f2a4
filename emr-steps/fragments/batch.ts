/** From the files of a batch to the branch, the quarantine and the counts: everything before it is published. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { duplicates } from './duplicates.ts';
import { eventRows } from './event-rows.ts';
import { eventsTable } from './events-table.ts';
import { fileNumbers } from './file-numbers.ts';
import { files } from './files.ts';
import { forgottenUsers } from './forgotten-users.ts';
import { batchChecks, ledgerRows } from './ledger.ts';
import { quarantine } from './quarantine.ts';
import { staging } from './staging.ts';
import { tableName } from './table-name.ts';
import { tally } from './tally.ts';
import { planTypes } from './types.ts';

export const batch = fragment({
  file: import.meta.url,
  needs: [
    ...[planTypes, tableName, files, tally, fileNumbers, forgottenUsers, eventRows],
    ...[eventsTable, staging, duplicates, quarantine, ledgerRows, batchChecks],
  ],
  imports: [
    'import collections',
    'from typing import NamedTuple',
    'from pyspark.sql import DataFrame, Observation, Row, SparkSession',
  ],
  code: python`
    class Outcomes(NamedTuple):
        """Rows read, by file, and rows refused, by file and outcome."""

        read: collections.Counter[int]
        refused: dict[int, dict[int, int]]

        @property
        def defects(self) -> int:
            """Rows that were refused for a defect of theirs."""
            return sum(
                count
                for of_file in self.refused.values()
                for outcome, count in of_file.items()
                if outcome != FORGOTTEN
            )


    def stage_accepted(
        spark: SparkSession, plan: Plan, files: dict[int, str], forgotten: ForgottenUsers | None
    ) -> Outcomes:
        """Reads the files once: accepted rows go to the branch, all outcomes are counted."""
        observation = Observation("outcomes")
        rows = read_rows(spark, plan, files, forgotten)
        by_file_and_outcome = tally(f"file_number * {OUTCOMES} + outcome", len(files) * OUTCOMES)
        accepted: DataFrame = (
            rows.observe(observation, by_file_and_outcome.alias("by_file_and_outcome"))
            .where("outcome = 0")
            .selectExpr(*EVENT_COLUMNS, "file_number")
        )
        open_staging(spark, plan)
        stage_new_rows(accepted, plan, files)

        read: collections.Counter[int] = collections.Counter()
        refused: dict[int, dict[int, int]] = collections.defaultdict(dict)
        for code, count in counts_of(observation.get["by_file_and_outcome"]).items():
            number, outcome = divmod(code, OUTCOMES)
            read[number] += count
            if outcome > 0:
                refused[number][outcome] = count
        return Outcomes(read, refused)


    def stage_batch(spark: SparkSession, plan: Plan) -> tuple[list[LedgerRow], list[Row]]:
        """Brings the batch onto the branch and into the quarantine; returns the ledger's rows, and events by day and file."""
        batch = plan["batch"]
        batch_id = batch["batchId"]
        files = number_files(batch)
        numbers = {uri: number for number, uri in files.items()}
        forgotten = forgotten_users(Files(spark), plan["lakeRoot"])
        outcomes = stage_accepted(spark, plan, files, forgotten)
        quarantine_rows(spark, plan, files, outcomes.refused, forgotten)
        check_refused_share(spark, plan, outcomes.defects, sum(outcomes.read.values()))

        staged_events = table_name(plan, STAGED_EVENTS)
        events = rows_of_batch(spark, staged_events, batch_id)
        are_large = plan["ingest"]["slicesPerDay"] > 1
        days = days_with_duplicates(spark, staged_events, days_just_staged(spark, plan), are_large=are_large)
        duplicates = drop_duplicates(spark, plan, days, numbers)
        if duplicates:
            events = rows_of_batch(spark, staged_events, batch_id)
        staged: collections.Counter[int] = collections.Counter()
        for row in events:
            staged[numbers[row.source_file]] += row["rows"]
        ledger: list[LedgerRow] = [
            {
                "uri": file["uri"],
                "etag": file["etag"],
                "bytes": file["bytes"],
                "batch_id": batch_id,
                "rows_read": outcomes.read[number],
                "rows_accepted": staged[number],
                "rows_quarantined": sum(outcomes.refused.get(number, {}).values()),
                "rows_duplicate": duplicates[number],
            }
            for file in batch["files"]
            for number in [numbers[file["uri"]]]
        ]
        return ledger, events
  `,
});
