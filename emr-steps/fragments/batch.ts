/** From the files of a batch to the branch, the quarantine and the counts: everything before it is published. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { cutObjects } from './cut-objects.ts';
import { duplicates } from './duplicates.ts';
import { eventRows } from './event-rows.ts';
import { eventsTable } from './events-table.ts';
import { fileNumbers } from './file-numbers.ts';
import { files } from './files.ts';
import { forgottenUsers } from './forgotten-users.ts';
import { batchChecks, ledgerRows } from './ledger.ts';
import { plainLines } from './plain-lines.ts';
import { quarantine } from './quarantine.ts';
import { secondLook } from './second-look.ts';
import { staging } from './staging.ts';
import { tally } from './tally.ts';
import { planTypes } from './types.ts';

export const batch = fragment({
  file: import.meta.url,
  needs: [
    ...[planTypes, files, tally, fileNumbers, forgottenUsers, eventRows, plainLines, cutObjects, secondLook],
    ...[eventsTable, staging, duplicates, quarantine, ledgerRows, batchChecks],
  ],
  imports: [
    'import collections',
    'import json',
    'from pyspark.sql import DataFrame, Observation, Row, SparkSession',
  ],
  code: python`
    def stage_accepted(
        spark: SparkSession, plan: Plan, files: dict[int, str], forgotten: ForgottenUsers | None
    ) -> Outcomes:
        """Reads the files once: accepted rows go to the branch, all outcomes are counted."""
        outcomes = Outcomes(collections.Counter(), {}, set())
        observation = Observation("outcomes")
        rows = read_rows(spark, plan, files, forgotten)
        by_file_and_outcome = tally(f"file_number * {OUTCOMES} + {COUNTED_AS}", len(files) * OUTCOMES)
        accepted: DataFrame = (
            rows.observe(observation, by_file_and_outcome.alias("by_file_and_outcome"))
            .where("outcome = 0")
            .selectExpr(*EVENT_COLUMNS, "file_number")
        )
        open_staging(spark, plan)
        stage_new_rows(accepted, plan, files)
        outcomes.take(counts_of(observation.get["by_file_and_outcome"]))
        return outcomes


    def stage_adapted(
        spark: SparkSession,
        plan: Plan,
        files: dict[int, str],
        outcomes: Outcomes,
        forgotten: ForgottenUsers | None,
    ) -> Tolerated:
        """Reads files again in which adapting changes anything: what was staged of them is replaced, and counted anew."""
        tolerated = second_look(spark, plan, files, outcomes, forgotten)
        if not tolerated.files:
            return tolerated
        forget_files(spark, STAGED_EVENTS, plan["batch"]["batchId"], list(tolerated.files.values()))
        observation = Observation("adapted")
        bins = len(tolerated.files)
        by_outcome = tally(f"file_number * {OUTCOMES} + {COUNTED_AS}", bins * OUTCOMES)
        adaptations = f"IF(outcome = 0, file_number * {COUNTED} + adapted % {COUNTED}, NULL)"
        by_adaptation = tally(adaptations, bins * COUNTED)
        rows = read_adapted_rows(spark, plan, tolerated.files, tolerated.cut, forgotten)
        accepted = (
            rows.observe(observation, by_outcome.alias("by_outcome"), by_adaptation.alias("by_adaptation"))
            .where("outcome = 0")
            .selectExpr(*EVENT_COLUMNS, "file_number")
        )
        stage_new_rows(accepted, plan, files)
        for number in tolerated.files:
            outcomes.read[number] = 0
            outcomes.refused.pop(number, None)
        outcomes.take(counts_of(observation.get["by_outcome"]))
        for code, count in counts_of(observation.get["by_adaptation"]).items():
            number, bits = divmod(code, COUNTED)
            of_file = tolerated.adapted.setdefault(number, collections.Counter())
            of_file["rows"] += count if bits else 0
            of_file.update(dict.fromkeys(adaptations_of(bits), count))
        return tolerated


    def stage_batch(spark: SparkSession, plan: Plan) -> tuple[list[LedgerRow], list[Row]]:
        """Brings the batch onto the branch and into the quarantine; returns the ledger's rows, and events by day and file."""
        batch = plan["batch"]
        batch_id = batch["batchId"]
        files = number_files(batch)
        numbers = {uri: number for number, uri in files.items()}
        forgotten = forgotten_users(Files(spark), plan["lakeRoot"])
        check_cut_sizes(spark, batch)
        outcomes = stage_accepted(spark, plan, files, forgotten)
        tolerated = stage_adapted(spark, plan, files, outcomes, forgotten)
        quarantine_rows(spark, plan, files, outcomes.refused, forgotten, tolerated)
        check_refused_share(spark, plan, outcomes.defects, sum(outcomes.read.values()))

        events = rows_of_batch(spark, STAGED_EVENTS, batch_id)
        are_large = plan["ingest"]["slicesPerDay"] > 1
        days = days_with_duplicates(spark, days_just_staged(spark), are_large=are_large)
        duplicates = drop_duplicates(spark, plan, days, numbers)
        if duplicates:
            events = rows_of_batch(spark, STAGED_EVENTS, batch_id)
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
                "rows_adapted": adapted["rows"],
                "adapted": json.dumps({code: adapted[code] for code in ADAPTATIONS if adapted[code]}),
            }
            for file in batch["files"]
            for number in [numbers[file["uri"]]]
            for adapted in [tolerated.adapted.get(number, collections.Counter())]
        ]
        return ledger, events
  `,
});
