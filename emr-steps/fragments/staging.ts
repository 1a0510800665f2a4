/** Staging: a batch becomes events on a branch that no reader sees, and is published in one commit. */
import { CATALOG, DATABASE, EVENTS, STAGING_BRANCH, sparkTableName } from '../../lib/domain/lake.ts';
import { python } from '../python.ts';
import { createTable } from './tables.ts';

/** Some 200 MB of memory while they are sorted. */
const ROWS_PER_TASK = 500_000;
/** What makes two rows the same event. */
const EVENT_KEY = ['event_time', 'session_id', 'item_in_session', 'page'];
/** Settles which of two equal events stays, so that every try keeps the same one: the earlier batch's first. */
const TIE_BREAKERS = ['is_new', 'file_number', 'song', 'artist', 'length_seconds', 'status', 'level', 'auth'];

export const staging = python`
  EVENTS = ${sparkTableName(EVENTS)}
  STAGED_EVENTS = ${`${sparkTableName(EVENTS)}.branch_${STAGING_BRANCH}`}
  CREATE_EVENTS = ${createTable(EVENTS)}
  OPEN_STAGING = ${`ALTER TABLE ${sparkTableName(EVENTS)} CREATE OR REPLACE BRANCH ${STAGING_BRANCH}`}
  PUBLISH = ${`CALL ${CATALOG}.system.fast_forward('${DATABASE}.${EVENTS.name}', 'main', '${STAGING_BRANCH}')`}
  CLOSE_STAGING = ${`ALTER TABLE ${sparkTableName(EVENTS)} DROP BRANCH IF EXISTS ${STAGING_BRANCH}`}

  # Property of a snapshot of events: the batch that it was written for.
  WRITTEN_FOR = ${'written-for-batch'}

  # Of a day that is larger, the users are spread over several tasks and files.
  ROWS_PER_TASK = ${ROWS_PER_TASK}

  EVENT_NAMES = ${EVENTS.columns.map((column) => column.name)}
  EVENT_KEY = ${EVENT_KEY}
  TIE_BREAKERS = ${TIE_BREAKERS}


  def forget_batches(spark: SparkSession, table: str, batch_ids: list[str]) -> None:
      """Clears away the rows of batches that were begun and not finished."""
      literals = ", ".join(f"'{batch_id}'" for batch_id in sorted(set(batch_ids)))
      if literals and spark.table(table).where(f"batch_id IN ({literals})").limit(1).count() > 0:
          spark.sql(f"DELETE FROM {table} WHERE batch_id IN ({literals})")  # noqa: S608


  def open_staging(spark: SparkSession, plan: dict) -> None:
      """Opens the branch on what readers see now, less the rows of unfinished batches and of earlier tries."""
      batch_id = plan["batch"]["batchId"]
      spark.sql(CREATE_EVENTS)
      snapshots = iceberg_table(spark, EVENTS).snapshots()
      tried = any(snapshot.summary().get(WRITTEN_FOR) == batch_id for snapshot in snapshots)
      unfinished = plan["abandonedBatchIds"] + ([batch_id] if tried else [])
      spark.sql(OPEN_STAGING)
      forget_batches(spark, STAGED_EVENTS, unfinished)


  def mark_repeats(rows: DataFrame, tasks: int, slices: int) -> DataFrame:
      """Adds "is_repeat", with the shuffle by day and the sort that storing the rows needs anyway."""
      rows = rows.withColumn("slice", F.expr(f"PMOD(HASH(user_id), {slices})"))
      by_day = rows.repartition(tasks, "event_date", "slice")
      # The user first: Spark sorts by the first eight bytes of the first column, and compares rows only where these tie.
      order = Window.partitionBy("user_id", "event_date", "slice").orderBy(*EVENT_KEY, *TIE_BREAKERS)
      # No event lacks its time, so the first of a user's day repeats nothing.
      same = [F.col(column).eqNullSafe(F.lag(column).over(order)) for column in EVENT_KEY]
      return by_day.withColumn("is_repeat", functools.reduce(Column.__and__, same)).drop("slice")


  def write_once(marked: DataFrame, plan: dict, file_count: int) -> tuple[DataFrameWriterV2, Observation]:
      """A writer of the rows that are no repeats, and the observation that counts the repeats by file."""
      repeats = Observation("repeats")
      by_file = tally("IF(is_repeat, file_number, NULL)", file_count).alias("by_file")
      once = marked.observe(repeats, by_file).where("NOT is_repeat").select(*EVENT_NAMES)
      writer = once.writeTo(STAGED_EVENTS).option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])
      # A task that holds several days meets them in the order of its users: a file stays open for each.
      return writer.option("fanout-enabled", "true"), repeats


  def stage_new_rows(events: DataFrame, plan: dict, files: dict[int, str]) -> collections.Counter:
      """Appends the batch's events to the branch, each once; returns the repeats by file."""
      sizes = plan["ingest"]
      new = events.withColumn("is_new", F.lit(True))
      marked = mark_repeats(new, sizes["shufflePartitions"], sizes["slicesPerDay"])
      named = marked.withColumns(
          {"source_file": names_by_number(files), "batch_id": F.lit(plan["batch"]["batchId"])}
      )
      writer, repeats = write_once(named, plan, len(files))
      writer.append()
      return counts_of(repeats.get["by_file"])


  def rows_of_batch(spark: SparkSession, table: str, batch_id: str) -> list:
      """The batch's events in the table or on the branch, counted anew: rows by day and file."""
      of_batch = spark.table(table).where(F.col("batch_id") == batch_id)
      return of_batch.groupBy("event_date", "source_file").agg(F.count("*").alias("rows")).collect()


  def merge_with_existing(
      spark: SparkSession, plan: dict, by_day: list, numbers: dict[str, int]
  ) -> collections.Counter:
      """Drops what readers have already of the batch's days; returns those repeats by file."""
      rows = collections.Counter()
      for row in by_day:
          rows[row.event_date] += row["rows"]
      held = spark.table(f"{EVENTS}.partitions").where(F.col("partition.event_date").isin(list(rows)))
      shared = held.selectExpr("partition.event_date AS day", "record_count").collect()
      if not shared:
          return collections.Counter()
      for row in shared:
          rows[row.day] += row.record_count
      days = [row.day for row in shared]
      # The days may be far larger than the batch for which the run was planned.
      sizes = [rows[day] for day in days]
      slices = max(plan["ingest"]["slicesPerDay"], math.ceil(max(sizes) / ROWS_PER_TASK))
      tasks = max(plan["ingest"]["shufflePartitions"], math.ceil(sum(sizes) / ROWS_PER_TASK))
      files = spark.createDataFrame(list(numbers.items()), "source_file string, file_number int")
      staged = spark.table(STAGED_EVENTS).where(F.col("event_date").isin(days))
      named = staged.join(F.broadcast(files), "source_file", "left")
      batch_id = plan["batch"]["batchId"]
      marked = mark_repeats(named.withColumn("is_new", F.col("batch_id") == batch_id), tasks, slices)
      writer, repeats = write_once(marked, plan, len(numbers))
      writer.overwritePartitions()
      return counts_of(repeats.get["by_file"])
`;
