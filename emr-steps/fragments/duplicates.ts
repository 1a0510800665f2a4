/** Duplicates: events that a day on the branch holds twice, whether they came twice or were there before. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { staging } from './staging.ts';
import { tableName } from './table-name.ts';
import { tally } from './tally.ts';
import { planTypes } from './types.ts';

/** About 200 MB of memory while they are sorted. */
const ROWS_PER_TASK = 500_000;
/** What makes two rows the same event. */
const EVENT_KEY = ['event_time', 'session_id', 'item_in_session', 'page'];
/** Settles which of two equal events stays, so that every try keeps the same one: the earlier batch's first. */
const TIE_BREAKERS = ['is_new', 'file_number', 'song', 'artist', 'length_seconds', 'status', 'level', 'auth'];

export const duplicates = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, staging, tally],
  imports: [
    'import collections',
    'import datetime',
    'import functools',
    'import math',
    'from pyspark.sql import Column, Observation, SparkSession, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # Of a day that is larger, the users are spread over several tasks and files.
    ROWS_PER_TASK = ${ROWS_PER_TASK}

    EVENT_KEY = ${EVENT_KEY}
    TIE_BREAKERS = ${TIE_BREAKERS}
  `,
  code: python`
    def days_with_duplicates(
        spark: SparkSession, table: str, days: list[datetime.date], *, are_large: bool
    ) -> dict[datetime.date, int]:
        """Those of the days that hold an event twice in the table or on the branch, with their rows.

        Events are compared by a hash: where two different ones share it, their day is written again for nothing.
        """
        # One task reads a whole day, if that is not too large: what is counted by day then needs no shuffle.
        spark.conf.set("spark.sql.sources.v2.bucketing.enabled", "true")
        spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", str(not are_large).lower())
        different = F.countDistinct(F.xxhash64("user_id", *EVENT_KEY))
        of_days = spark.table(table).where(F.col("event_date").isin(days)).groupBy("event_date")
        counted = of_days.agg(F.count("*").alias("rows"), different.alias("different"))
        found = {row.event_date: row["rows"] for row in counted.where("rows > different").collect()}
        spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", "false")
        return found


    def drop_duplicates(
        spark: SparkSession, plan: Plan, days: dict[datetime.date, int], numbers: dict[str, int]
    ) -> collections.Counter[int]:
        """Writes such days again, each event once; returns the duplicates by file."""
        if not days:
            return collections.Counter()
        # The days may be far larger than the batch for which the run was planned.
        slices = max(plan["ingest"]["slicesPerDay"], math.ceil(max(days.values()) / ROWS_PER_TASK))
        tasks = max(plan["ingest"]["shufflePartitions"], math.ceil(sum(days.values()) / ROWS_PER_TASK))
        files = spark.createDataFrame(list(numbers.items()), "source_file string, file_number int")
        staged = spark.table(table_name(plan, STAGED_EVENTS)).where(F.col("event_date").isin(list(days)))
        numbered = staged.join(F.broadcast(files), "source_file", "left")
        rows = numbered.withColumn("is_new", F.col("batch_id") == plan["batch"]["batchId"])
        order = Window.partitionBy("user_id", "event_date", "slice").orderBy(*EVENT_KEY, *TIE_BREAKERS)
        # No event lacks its time, so the first of a user's day is not a duplicate.
        same = [F.col(column).eqNullSafe(F.lag(column).over(order)) for column in EVENT_KEY]
        marked = by_day(rows, tasks, slices).withColumn("is_repeat", functools.reduce(Column.__and__, same))
        repeats = Observation("repeats")
        by_file = tally("IF(is_repeat, file_number, NULL)", len(numbers)).alias("by_file")
        write_staged(marked.observe(repeats, by_file).where("NOT is_repeat"), plan).overwritePartitions()
        return counts_of(repeats.get["by_file"])
  `,
});
