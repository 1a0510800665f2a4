/**
 * Days that are resolved: those on the branch that hold an event twice, and those that a version of a file leaves. Of the
 * rows of one event the first by its own values stays, so that the order of delivery leaves no trace. The others are kept
 * as copies, one for each event and file; a copy returns when the file that held its event loses it.
 */
import { EVENTS, REPEATED_EVENTS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { EVENT_KEY, eventsTable } from './events-table.ts';
import { forgottenUsers } from './forgotten-users.ts';
import { repeatedEvents } from './repeated-events.ts';
import { staging } from './staging.ts';
import { tableName } from './table-name.ts';
import { tally } from './tally.ts';
import { planTypes } from './types.ts';

/** About 200 MB of memory while they are sorted. */
const ROWS_PER_TASK = 500_000;
const ELSEWHERE = ['event_date', 'user_id', ...EVENT_KEY, 'source_file', 'batch_id'];
/** Of rows with one event key, the first in this order stays: by their values, and only then by where they came from. */
const PRECEDENCE = [
  ...EVENTS.columns.map(({ name }) => name).filter((name) => !ELSEWHERE.includes(name)),
  'origin',
  'file_number',
  'source_file',
  'batch_id',
];
/** Where a row comes from; the smaller wins where two are equal. */
const ORIGIN = { held: 0, copy: 1, new: 2 };
if (REPEATED_EVENTS.columns !== EVENTS.columns) throw new Error('a copy must be a whole event');

export const duplicates = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, eventsTable, staging, repeatedEvents, forgottenUsers, tally],
  imports: [
    'import collections',
    'import datetime',
    'import math',
    'from typing import NamedTuple',
    'from pyspark.sql import DataFrame, Observation, SparkSession, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # Of a day that is larger, the users are spread over several tasks and files.
    ROWS_PER_TASK = ${ROWS_PER_TASK}

    PRECEDENCE = ${PRECEDENCE}
    # Whether a row was an event of another batch before, a copy of one, or came in this batch.
    HELD = ${ORIGIN.held}
    COPY = ${ORIGIN.copy}
    NEW = ${ORIGIN.new}
    ORIGIN = f"IF(batch_id = '{{}}', {NEW}, {HELD})"
  `,
  code: python`
    def days_with_duplicates(
        spark: SparkSession, table: str, days: set[datetime.date], *, are_large: bool
    ) -> dict[datetime.date, int]:
        """Those of the days that hold an event twice in the table or on the branch, with their rows.

        Events are compared by a hash: where two different ones share it, their day is resolved for nothing.
        """
        if not days:
            return {}
        # One task reads a whole day, if that is not too large: what is counted by day then needs no shuffle.
        spark.conf.set("spark.sql.sources.v2.bucketing.enabled", "true")
        spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", str(not are_large).lower())
        different = F.countDistinct(F.xxhash64("user_id", *EVENT_KEY))
        of_days = spark.table(table).where(F.col("event_date").isin(sorted(days))).groupBy("event_date")
        counted = of_days.agg(F.count("*").alias("rows"), different.alias("different"))
        found = {row.event_date: row["rows"] for row in counted.where("rows > different").collect()}
        spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", "false")
        return found


    def rows_of_days(spark: SparkSession, table: str, days: set[datetime.date]) -> dict[datetime.date, int]:
        """The days with their rows in the table or on the branch; also those without any."""
        staged = spark.table(table).where(F.col("event_date").isin(sorted(days)))
        counted = staged.groupBy("event_date").agg(F.count("*").alias("rows")).collect() if days else []
        return dict.fromkeys(days, 0) | {row.event_date: row["rows"] for row in counted}


    class Leaving(NamedTuple):
        """The files of a batch and those taken out by number, and the days on which one is as its former version was."""

        numbers: dict[str, int]
        same: set[tuple[int, datetime.date]]


    class Resolved(NamedTuple):
        """What became of the rows of the days that were resolved, by file where a file is named."""

        # Rows of the batch that are copies.
        duplicates: collections.Counter[int]
        # Rows of former versions that were events.
        taken: collections.Counter[int]
        # Rows of former versions that still are: on these days, the file is the same.
        kept: collections.Counter[int]
        # Events of other files in whose place came a copy that is in the batch.
        displaced: int
        # Copies of other files that became events.
        returned: int


    def marked_rows(
        spark: SparkSession,
        plan: Plan,
        days: dict[datetime.date, int],
        leaving: Leaving,
        forgotten: ForgottenUsers | None,
        before: Observation | None = None,
    ) -> DataFrame:
        """All rows of the days without those that leave, each with its place among the rows of its event."""
        # The days may be far larger than the batch for which the run was planned.
        slices = max(plan["ingest"]["slicesPerDay"], math.ceil(max(days.values()) / ROWS_PER_TASK))
        tasks = max(plan["ingest"]["shufflePartitions"], math.ceil(sum(days.values()) / ROWS_PER_TASK))
        of_days = F.col("event_date").isin(sorted(days))
        rows = spark.table(table_name(plan, STAGED_EVENTS)).where(of_days)
        rows = rows.withColumn("origin", F.expr(ORIGIN.format(plan["batch"]["batchId"])))
        if holds_copies(spark, plan):
            copies = spark.table(table_name(plan, REPEATED)).where(of_days)
            copies = copies.where(~is_forgotten(forgotten, "user_id"))
            rows = rows.unionByName(copies.withColumn("origin", F.lit(COPY)))
        files = spark.createDataFrame(list(leaving.numbers.items()), "source_file string, file_number int")
        rows = rows.join(F.broadcast(files), "source_file", "left")
        if leaving.same:
            same = spark.createDataFrame(sorted(leaving.same), "file_number int, event_date date")
            same = same.withColumn("is_same", F.lit(True))
            rows = rows.join(F.broadcast(same), ["file_number", "event_date"], "left")
            rows = rows.withColumn("is_same", F.coalesce("is_same", F.lit(False)))
        else:
            rows = rows.withColumn("is_same", F.lit(False))
        if before is not None:
            taken = f"origin = {HELD} AND file_number IS NOT NULL"
            rows = rows.observe(
                before,
                tally(f"IF({taken}, file_number, NULL)", len(leaving.numbers)).alias("taken"),
                tally(f"IF({taken} AND NOT is_same, UNIX_DATE(event_date), NULL)", len(days)).alias("days"),
            )
        # Where the file is the same, the former rows stay instead of the new ones.
        stays = rows.where(f"file_number IS NULL OR is_same <> (origin = {NEW})")
        key = Window.partitionBy("user_id", "event_date", "slice", *EVENT_KEY).orderBy(*PRECEDENCE)
        return by_day(stays, tasks, slices).withColumns(
            {"place": F.row_number().over(key), "holder": F.first("source_file").over(key)}
        )


    def resolve_days(
        spark: SparkSession,
        plan: Plan,
        days: dict[datetime.date, int],
        opened: Opened,
        leaving: Leaving,
        forgotten: ForgottenUsers | None,
    ) -> Resolved:
        """Writes the copies of these days, and of those whose events change the events, each once."""
        if not days:
            return Resolved(collections.Counter(), collections.Counter(), collections.Counter(), 0, 0)
        before, after = Observation("before"), Observation("after")
        files = len(leaving.numbers)
        changed = f"(origin = {HELD}) <> (place = 1)"
        marked = marked_rows(spark, plan, days, leaving, forgotten, before).observe(
            after,
            tally(f"IF(place > 1 AND origin = {NEW}, file_number, NULL)", files).alias("duplicates"),
            tally(f"IF(place = 1 AND origin <> {NEW}, file_number, NULL)", files).alias("kept"),
            tally(f"IF({changed}, UNIX_DATE(event_date), NULL)", len(days)).alias("days"),
            F.expr(f"COUNT_IF(place > 1 AND origin = {HELD} AND file_number IS NULL)").alias("displaced"),
            F.expr(f"COUNT_IF(place = 1 AND origin = {COPY} AND file_number IS NULL)").alias("returned"),
        )
        replace_copies(spark, plan, marked.where("place > 1 AND source_file <> holder"), set(days))
        numbers = counts_of(before.get["days"]) + counts_of(after.get["days"])
        first = datetime.date(1970, 1, 1)
        to_write = {first + datetime.timedelta(days=number) for number in numbers}
        unstage_days(spark, plan, opened, set(days) - to_write)
        if to_write:
            changing = {day: days[day] for day in to_write}
            events = marked_rows(spark, plan, changing, leaving, forgotten).where("place = 1")
            write_staged(events, plan).overwrite(F.col("event_date").isin(sorted(to_write)))
        return Resolved(
            duplicates=counts_of(after.get["duplicates"]),
            taken=counts_of(before.get["taken"]),
            kept=counts_of(after.get["kept"]),
            displaced=after.get["displaced"],
            returned=after.get["returned"],
        )
  `,
});
