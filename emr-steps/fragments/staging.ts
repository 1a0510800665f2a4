/** Staging: a batch becomes events on a branch that no reader sees, and is published in one commit. */
import { CATALOG, DATABASE, EVENTS, STAGING_BRANCH, sparkTableName } from '../../domain/lake.ts';
import { python } from '../python.ts';
import { createTable } from './tables.ts';

/** Some 200 MB of memory while they are sorted. */
const ROWS_PER_TASK = 500_000;
/**
 * Columns with more distinct values than this are written plain. To look every artist, song and user agent up costs a
 * twentieth of ingest; not to do so makes the table larger by a fifth.
 */
const DICTIONARY_BYTES = 2_048;
/** What makes two rows the same event. */
const EVENT_KEY = ['event_time', 'session_id', 'item_in_session', 'page'];
/** Settles which of two equal events stays, so that every try keeps the same one: the earlier batch's first. */
const TIE_BREAKERS = ['is_new', 'file_number', 'song', 'artist', 'length_seconds', 'status', 'level', 'auth'];

export const staging = python`
  EVENTS = ${sparkTableName(EVENTS)}
  STAGED_EVENTS = ${`${sparkTableName(EVENTS)}.branch_${STAGING_BRANCH}`}
  CREATE_EVENTS = ${createTable(EVENTS, { 'write.parquet.dict-size-bytes': String(DICTIONARY_BYTES) })}
  OPEN_STAGING = ${`ALTER TABLE ${sparkTableName(EVENTS)} CREATE BRANCH ${STAGING_BRANCH}`}
  PUBLISH = ${`CALL ${CATALOG}.system.fast_forward('${DATABASE}.${EVENTS.name}', 'main', '${STAGING_BRANCH}')`}
  STAGING = ${STAGING_BRANCH}
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
      # A branch cannot be replaced while readers see no snapshot: it is what a first try left that published nothing.
      spark.sql(CLOSE_STAGING)
      spark.sql(OPEN_STAGING)
      forget_batches(spark, STAGED_EVENTS, unfinished)


  def by_day(rows: DataFrame, tasks: int, slices: int) -> DataFrame:
      """Brings the rows of a day into one task; of a large day, those of each slice of its users."""
      sliced = rows.withColumn("slice", F.expr(f"PMOD(HASH(user_id), {slices})") if slices > 1 else F.lit(0))
      return sliced.repartition(tasks, "event_date", *(["slice"] if slices > 1 else []))


  def write_staged(rows: DataFrame, plan: dict) -> DataFrameWriterV2:
      """A writer of the branch. A task that holds several days meets them by user: a file stays open for each."""
      writer = rows.select(*EVENT_NAMES).writeTo(STAGED_EVENTS).option("fanout-enabled", "true")
      return writer.option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])


  def stage_new_rows(events: DataFrame, plan: dict, files: dict[int, str]) -> None:
      """Appends the batch's events to the branch, repeats and all: they are rare, and looked for when all are stored."""
      sizes = plan["ingest"]
      # The user first: Spark sorts by the first eight bytes of the first column, and compares rows only where these tie.
      days = by_day(events, sizes["shufflePartitions"], sizes["slicesPerDay"])
      ordered = days.sortWithinPartitions("user_id", "event_time", "item_in_session")
      batch_id = F.lit(plan["batch"]["batchId"])
      named = ordered.withColumns({"source_file": names_by_number(files), "batch_id": batch_id})
      write_staged(named, plan).append()


  def days_just_staged(spark: SparkSession) -> list[datetime.date]:
      """The days that the branch's newest snapshot has added files to."""
      table = iceberg_table(spark, EVENTS)
      return sorted(days_changed(spark, table, table.snapshot(STAGING)))


  def rows_of_batch(spark: SparkSession, table: str, batch_id: str) -> list:
      """The batch's events in the table or on the branch, counted anew: rows by day and file."""
      of_batch = spark.table(table).where(F.col("batch_id") == batch_id)
      return of_batch.groupBy("event_date", "source_file").agg(F.count("*").alias("rows")).collect()


  def days_with_repeats(
      spark: SparkSession, days: list[datetime.date], *, are_large: bool
  ) -> dict[datetime.date, int]:
      """Those of the days that hold an event twice on the branch, with their rows.

      A hash stands for the event: should two different ones share it, their day is only looked at for nothing.
      """
      # One task reads a whole day, if that is not too large: what is counted by day then needs no shuffle.
      spark.conf.set("spark.sql.sources.v2.bucketing.enabled", "true")
      spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", str(not are_large).lower())
      different = F.countDistinct(F.xxhash64("user_id", *EVENT_KEY))
      of_days = spark.table(STAGED_EVENTS).where(F.col("event_date").isin(days)).groupBy("event_date")
      counted = of_days.agg(F.count("*").alias("rows"), different.alias("different"))
      found = {row.event_date: row["rows"] for row in counted.where("rows > different").collect()}
      spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", "false")
      return found


  def drop_repeats(
      spark: SparkSession, plan: dict, days: dict[datetime.date, int], numbers: dict[str, int]
  ) -> collections.Counter:
      """Writes such days again, each event once; returns the repeats by file."""
      if not days:
          return collections.Counter()
      # The days may be far larger than the batch for which the run was planned.
      slices = max(plan["ingest"]["slicesPerDay"], math.ceil(max(days.values()) / ROWS_PER_TASK))
      tasks = max(plan["ingest"]["shufflePartitions"], math.ceil(sum(days.values()) / ROWS_PER_TASK))
      files = spark.createDataFrame(list(numbers.items()), "source_file string, file_number int")
      staged = spark.table(STAGED_EVENTS).where(F.col("event_date").isin(list(days)))
      numbered = staged.join(F.broadcast(files), "source_file", "left")
      rows = numbered.withColumn("is_new", F.col("batch_id") == plan["batch"]["batchId"])
      order = Window.partitionBy("user_id", "event_date", "slice").orderBy(*EVENT_KEY, *TIE_BREAKERS)
      # No event lacks its time, so the first of a user's day repeats nothing.
      same = [F.col(column).eqNullSafe(F.lag(column).over(order)) for column in EVENT_KEY]
      marked = by_day(rows, tasks, slices).withColumn("is_repeat", functools.reduce(Column.__and__, same))
      repeats = Observation("repeats")
      by_file = tally("IF(is_repeat, file_number, NULL)", len(numbers)).alias("by_file")
      write_staged(marked.observe(repeats, by_file).where("NOT is_repeat"), plan).overwritePartitions()
      return counts_of(repeats.get["by_file"])
`;
