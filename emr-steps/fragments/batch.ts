/** From the files of a batch to the branch, the quarantine and the counts: everything before it is published. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { cutObjects } from './cut-objects.ts';
import { duplicates } from './duplicates.ts';
import { eventRows } from './event-rows.ts';
import { eventsTable } from './events-table.ts';
import { fileNumbers } from './file-numbers.ts';
import { files } from './files.ts';
import { firstLines } from './first-lines.ts';
import { forgottenUsers } from './forgotten-users.ts';
import { icebergTables } from './jvm.ts';
import { batchChecks, ledgerRows } from './ledger.ts';
import { plainLines } from './plain-lines.ts';
import { quarantine } from './quarantine.ts';
import { secondLook } from './second-look.ts';
import { staging } from './staging.ts';
import { tableName } from './table-name.ts';
import { tally } from './tally.ts';
import { ingestTypes, planTypes } from './types.ts';
import { versions } from './versions.ts';

export const batch = fragment({
  file: import.meta.url,
  needs: [
    ...[planTypes, tableName, files, firstLines, tally, fileNumbers, forgottenUsers, eventRows],
    ...[plainLines, cutObjects, secondLook],
    ...[
      ingestTypes,
      versions,
      icebergTables,
      eventsTable,
      staging,
      duplicates,
      quarantine,
      ledgerRows,
      batchChecks,
    ],
  ],
  imports: [
    'import collections',
    'import datetime',
    'import json',
    'from typing import NamedTuple',
    'from pyspark.sql import DataFrame, Observation, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  code: python`
    def stage_accepted(
        spark: SparkSession,
        plan: Plan,
        files: dict[int, str],
        lines: dict[int, str],
        forgotten: ForgottenUsers | None,
    ) -> Outcomes:
        """Reads the files of lines once: accepted rows go to the branch, all outcomes are counted."""
        outcomes = Outcomes(collections.Counter(), {}, set())
        if not lines:
            return outcomes
        observation = Observation("outcomes")
        rows = read_rows(spark, plan, lines, forgotten)
        # A column of its own: what an observation aggregates is interpreted, row by row.
        counted = rows.withColumn("counted_as", F.expr(f"file_number * {OUTCOMES} + {COUNTED_AS}"))
        by_file_and_outcome = tally("counted_as", len(files) * OUTCOMES)
        accepted: DataFrame = (
            counted.observe(observation, by_file_and_outcome.alias("by_file_and_outcome"))
            .where("outcome = 0")
            .selectExpr(*EVENT_COLUMNS, "file_number", SORT_KEY)
        )
        stage_new_rows(accepted, plan, files)
        outcomes.take(counts_of(observation.get["by_file_and_outcome"]))
        return outcomes


    def stage_adapted(
        spark: SparkSession,
        plan: Plan,
        files: dict[int, str],
        outcomes: Outcomes,
        cut: set[int],
        other_spelling: set[int],
        forgotten: ForgottenUsers | None,
    ) -> Tolerated:
        """Reads files again in which adapting changes anything: what was staged of them is replaced, and counted anew."""
        tolerated = second_look(spark, plan, files, outcomes, cut, other_spelling, forgotten)
        if not tolerated.files:
            return tolerated
        forget_files(
            spark, table_name(plan, STAGED_EVENTS), plan["batch"]["batchId"], list(tolerated.files.values())
        )
        observation = Observation("adapted")
        bins = len(tolerated.files)
        by_outcome = tally(f"file_number * {OUTCOMES} + {COUNTED_AS}", bins * OUTCOMES)
        adaptations = f"IF(outcome = 0, file_number * {COUNTED} + adapted % {COUNTED}, NULL)"
        by_adaptation = tally(adaptations, bins * COUNTED)
        rows = read_adapted_rows(spark, plan, tolerated.files, tolerated.cut, forgotten)
        accepted = (
            rows.observe(observation, by_outcome.alias("by_outcome"), by_adaptation.alias("by_adaptation"))
            .where("outcome = 0")
            .selectExpr(*EVENT_COLUMNS, "file_number", SORT_KEY)
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


    def days_left(spark: SparkSession, plan: Plan, former: dict[str, LedgerRow]) -> set[datetime.date]:
        """The days of versions that leave. Where the ledger does not know them, the events do."""
        known = {uri: content_of(row) for uri, row in former.items()}
        days = {day for content in known.values() if content is not None for day in content}
        unknown = [(uri,) for uri, content in known.items() if content is None]
        if not unknown:
            return days
        files = F.broadcast(spark.createDataFrame(unknown, "source_file string"))
        others = spark.table(table_name(plan, STAGED_EVENTS)).where(F.col("batch_id") != plan["batch"]["batchId"])
        held = others.join(files, "source_file", "left_semi").select("event_date").distinct()
        return days | {row.event_date for row in held.collect()}


    def same_days(
        content: dict[str, Content], former: dict[str, LedgerRow], numbers: dict[str, int]
    ) -> set[tuple[int, datetime.date]]:
        """The days on which a file holds just what its former version held, with the numbers of the files."""
        return {
            (numbers[uri], day)
            for uri, row in former.items()
            for day, held in (content_of(row) or {}).items()
            if content.get(uri, {}).get(day) == held
        }


    class Staged(NamedTuple):
        """What will be entered in the ledger, and how the batch changes the events."""

        ledger: list[LedgerRow]
        changes: EventChanges
        # Whether copies were staged, too.
        has_copies: bool
        # Events that the batch adds.
        held: int


    def stage_batch(spark: SparkSession, plan: Plan, former: dict[str, LedgerRow]) -> Staged:
        """Brings the batch onto the branch and into the quarantine, and takes off what leaves with it."""
        batch = plan["batch"]
        batch_id = batch["batchId"]
        passed_over, other_spelling, no_lines = first_look(spark, batch)
        numbered = number_files(batch)
        numbers = {uri: number for number, uri in numbered.items()}
        files = {number: uri for number, uri in numbered.items() if uri not in passed_over}
        forgotten = forgotten_users(Files(spark), plan["lakeRoot"])
        check_cut_sizes(spark, batch)
        opened = open_staging(spark, plan)
        check_any_events(passed_over, batch, opened.events)
        cut = files_to_cut(spark, plan, {number: uri for number, uri in files.items() if uri in no_lines})
        packed = {number for number, uri in files.items() if is_packed_in_capitals(uri)}
        lines = {number: uri for number, uri in files.items() if number not in cut | packed}
        outcomes = stage_accepted(spark, plan, files, lines, forgotten)
        worth = {numbers[uri] for uri in other_spelling}
        tolerated = stage_adapted(spark, plan, files, outcomes, cut, worth, forgotten)
        quarantine_rows(spark, plan, files, outcomes.refused, forgotten, tolerated)
        check_refused_share(spark, plan, outcomes.defects, sum(outcomes.read.values()))

        staged_events = table_name(plan, STAGED_EVENTS)
        content = contents(content_of_batch(spark, staged_events, batch_id)) if files else {}
        days = {day for _, day in files_staged(spark, plan, opened)}
        taken_out = enumerate(sorted(former.keys() - numbers.keys()), len(numbers))
        all_numbers = numbers | {uri: number for number, uri in taken_out}
        leaving = Leaving(all_numbers, same_days(content, former, numbers))
        left = days_left(spark, plan, former)
        are_large = plan["ingest"]["slicesPerDay"] > 1
        twice = days_with_duplicates(spark, staged_events, days - left, are_large=are_large)
        resolving = twice | rows_of_days(spark, staged_events, left)
        resolved = resolve_days(spark, plan, resolving, opened, leaving, forgotten)

        accepted: collections.Counter[str] = collections.Counter()
        if resolving:
            for row in rows_of_batch(spark, staged_events, batch_id):
                accepted[row.source_file] += row["rows"]
        else:
            for uri, of_file in content.items():
                accepted[uri] = sum(rows for rows, _ in of_file.values())
        ledger: list[LedgerRow] = []
        for file in batch["files"]:
            uri, number = file["uri"], numbers[file["uri"]]
            adapted = tolerated.adapted.get(number, collections.Counter())
            same = sum(rows for day, (rows, _) in content.get(uri, {}).items() if (number, day) in leaving.same)
            ledger.append(
                {
                    "uri": uri,
                    "etag": file["etag"],
                    "bytes": file["bytes"],
                    "batch_id": batch_id,
                    "rows_read": outcomes.read[number],
                    "rows_accepted": accepted[uri] + resolved.kept[number],
                    "rows_quarantined": sum(outcomes.refused.get(number, {}).values()),
                    "rows_duplicate": resolved.duplicates[number] + same - resolved.kept[number],
                    "rows_adapted": adapted["rows"],
                    "adapted": json.dumps({code: adapted[code] for code in ADAPTATIONS if adapted[code]}),
                    "passed_over": passed_over.get(uri, ""),
                    "rows_taken_away": resolved.taken[number],
                    "first_day": str(min(content[uri])) if uri in content else None,
                    "last_day": str(max(content[uri])) if uri in content else None,
                    "days": content_text(content.get(uri, {})),
                    "taken_out": False,
                }
            )
        ledger += [
            taken_out_row(uri, batch_id, resolved.taken[leaving.numbers[uri]])
            for uri in sorted({file["uri"] for file in batch.get("takenOut", [])})
        ]
        return Staged(
            ledger,
            {
                "before": opened.events,
                "takenAway": sum(resolved.taken.values()) + resolved.displaced,
                "returned": resolved.returned,
                "after": events_in(spark, plan, iceberg_table(spark, table_name(plan, EVENTS)).snapshot(STAGING)),
            },
            has_copies=bool(resolving),
            held=accepted.total(),
        )
  `,
});
