"""Takes a batch of raw event files into the lake, exactly once.

Generated from emr-steps/ingest-events: change it there. Run by
spark-submit ingest-events.py --plan <uri of plan.json>
"""

import argparse
import collections
import datetime
import functools
import itertools
import json
import math
import re
import sys
import traceback

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.readwriter import DataFrameWriterV2

STEP = "ingest-events"
ERROR_LINES = 12


class StepError(Exception):
    """A failure that a person can act on."""

    def __init__(self, message: str, likely_cause: str, what_to_do: str) -> None:
        """Takes what went wrong, why that is likely, and the remedy."""
        super().__init__(message)
        self.likely_cause = likely_cause
        self.what_to_do = what_to_do


class Files:
    """Small text files, wherever Spark's file systems can reach."""

    def __init__(self, spark: SparkSession) -> None:
        """Uses the session's file systems and their credentials."""
        self._jvm = spark._jvm
        self._configuration = spark._jsc.hadoopConfiguration()

    def _path(self, uri: str):
        path = self._jvm.org.apache.hadoop.fs.Path(uri)
        file_system = path.getFileSystem(self._configuration)
        # Checksum files beside the objects would go stale when another program rewrites them.
        file_system.setWriteChecksum(False)
        return file_system, path

    def exists(self, uri: str) -> bool:
        """Says whether there is a file or folder."""
        file_system, path = self._path(uri)
        return file_system.exists(path)

    def read_text(self, uri: str) -> str:
        """Reads the whole file."""
        file_system, path = self._path(uri)
        stream = file_system.open(path)
        try:
            return self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
        finally:
            stream.close()

    def write_text(self, uri: str, text: str) -> None:
        """Writes the whole text or nothing: a reader never sees half of it."""
        file_system, path = self._path(uri)
        draft = path.suffix(".draft")
        stream = file_system.create(draft, True)
        try:
            stream.write(text.encode("utf-8"))
        finally:
            stream.close()
        file_system.delete(path, False)
        if not file_system.rename(draft, path):
            raise OSError(f"could not move {draft} to {path}")

    def read_json(self, uri: str) -> dict:
        """Reads one JSON document."""
        return json.loads(self.read_text(uri))

    def write_json(self, uri: str, value: dict) -> None:
        """Writes one JSON document, keys sorted; what is no number has no place in JSON."""
        self.write_text(uri, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def explain(error: Exception) -> dict:
    """Says what went wrong in the words of the person who is paged."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    message = "\n".join(lines[:ERROR_LINES]) or type(error).__name__
    if isinstance(error, StepError):
        cause, remedy = error.likely_cause, error.what_to_do
    elif "OutOfMemoryError" in message or "Container killed" in message:
        cause = "the data of one task did not fit into memory"
        remedy = "raise the cluster's size in the configuration and resume the run"
    elif "AccessDenied" in message or "403" in message:
        cause = "the cluster's role may not read or write what the message names"
        remedy = "grant it, then resume the run"
    else:
        cause = "unexpected: see the message and the step's log"
        remedy = "resume the run once the cause is mended; steps that succeeded are skipped"
    return {
        "step": STEP,
        "errorClass": type(error).__name__,
        "message": message,
        "likelyCause": cause,
        "whatToDo": remedy,
    }


def main() -> None:
    """Runs the step once for a plan; a result that stands is not made again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, help="URI of the run's plan.json")
    plan_uri = parser.parse_args().plan
    spark = SparkSession.builder.appName(f"churn {STEP}").getOrCreate()
    files = Files(spark)
    plan = files.read_json(plan_uri)
    outputs = plan["outputs"]
    try:
        if files.exists(outputs["results"][STEP]):
            print(f"{STEP}: the result of this plan stands, nothing to do", file=sys.stderr)
            return
        files.write_json(outputs["results"][STEP], run(spark, plan))
    except Exception as error:
        traceback.print_exc()
        files.write_json(outputs["errors"][STEP], explain(error))
        sys.exit(1)
    finally:
        spark.stop()


def iceberg_table(spark: SparkSession, table: str):
    """The table as Iceberg itself knows it, up to date: its metadata without a query."""
    loaded = spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, table)
    loaded.refresh()
    return loaded


def newest_snapshot(spark: SparkSession, table: str) -> str | None:
    """The snapshot that readers see, as text: its number exceeds what JSON readers hold exactly."""
    snapshot = iceberg_table(spark, table).currentSnapshot()
    return None if snapshot is None else str(snapshot.snapshotId())


def snapshots_since(table, head, known: str | None) -> list | None:
    """The snapshots that led from a known one to the head, or all when none is known.

    None when they are not all there any more: snapshots expire.
    """
    since, snapshot = [], head
    while snapshot is not None and str(snapshot.snapshotId()) != known:
        since.append(snapshot)
        if snapshot.parentId() is None:
            return since if known is None else None
        snapshot = table.snapshot(snapshot.parentId())
    return None if snapshot is None else since


def days_changed(spark: SparkSession, table, snapshot) -> set[datetime.date]:
    """The days to which a snapshot added files, or from which it removed some: of rows, or of their deletions."""
    integer, io = spark._jvm.java.lang.Class.forName("java.lang.Integer"), table.io()
    files = itertools.chain(
        snapshot.addedDataFiles(io),
        snapshot.removedDataFiles(io),
        snapshot.addedDeleteFiles(io),
        snapshot.removedDeleteFiles(io),
    )
    numbers = {file.partition().get(0, integer) for file in files}
    return {datetime.date(1970, 1, 1) + datetime.timedelta(days=number) for number in numbers}


SNAPSHOT_RETENTION_DAYS = 90


def expire_snapshots(spark: SparkSession, plan: dict, tables: list[str], days: int) -> None:
    """Removes snapshots that are so many days old, with the files that only they use.

    What a branch points at stays, so a batch that is under way loses nothing.
    """
    planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
    oldest = planned_at - datetime.timedelta(days=days)
    for table in tables:
        iceberg_table(spark, table).expireSnapshots().expireOlderThan(int(oldest.timestamp() * 1000)).commit()


READ_COLUMNS = [
    "artist",
    "auth",
    "gender",
    "itemInSession",
    "length",
    "level",
    "location",
    "method",
    "page",
    "registration",
    "sessionId",
    "song",
    "status",
    "ts",
    "userAgent",
    "userId",
]
# Where Spark puts a line that it could not read whole.
UNREADABLE = "unreadable"
RAW_SCHEMA = """
artist string,
auth string,
gender string,
itemInSession bigint,
length double,
level string,
location string,
method string,
page string,
registration bigint,
sessionId bigint,
song string,
status bigint,
ts bigint,
userAgent string,
userId string,
unreadable string
"""
# How a line begins that is not one JSON object.
MARK = '{"ts":"not one object",'

# Strict: Spark by itself takes single quotes, and a length of NaN, which would spoil every sum that it enters.
JSON_OPTIONS = {
    "columnNameOfCorruptRecord": UNREADABLE,
    "allowNonNumericNumbers": "false",
    "allowSingleQuotes": "false",
}

REFUSAL_REASONS = [
    "forgotten_user",
    "malformed_json",
    "wrong_type",
    "missing_ts",
    "ts_in_seconds",
    "ts_out_of_range",
    "unknown_auth",
    "missing_user_id",
    "missing_page",
    "unknown_page",
    "unknown_level",
    "impossible_length",
]

# 0 stands for an accepted row, n for the nth of REFUSAL_REASONS: the first that holds.
OUTCOME = """
CASE
  WHEN is_forgotten THEN 1
  WHEN is_malformed THEN 2
  WHEN raw.unreadable IS NOT NULL OR is_no_user_id THEN 3
  WHEN raw.ts IS NULL THEN 4
  WHEN raw.ts > 0 AND raw.ts < 100000000000 THEN 5
  WHEN raw.ts < {earliest} OR raw.ts >= {latest} THEN 6
  WHEN raw.auth IS NULL OR raw.auth NOT IN ('Logged In', 'Logged Out', 'Guest', 'Cancelled') THEN 7
  WHEN raw.auth IN ('Logged In', 'Cancelled') AND COALESCE(raw.userId, '') = '' THEN 8
  WHEN raw.page IS NULL THEN 9
  WHEN raw.page NOT IN (
    'NextSong',
    'Home',
    'Thumbs Up',
    'Thumbs Down',
    'Add to Playlist',
    'Add Friend',
    'Roll Advert',
    'Login',
    'Logout',
    'Downgrade',
    'Submit Downgrade',
    'Upgrade',
    'Submit Upgrade',
    'Help',
    'Settings',
    'Save Settings',
    'About',
    'Error',
    'Cancel',
    'Cancellation Confirmation',
    'Register',
    'Submit Registration'
  ) THEN 10
  WHEN raw.level NOT IN ('free', 'paid') THEN 11
  WHEN raw.length < 0 OR raw.length = DOUBLE('Infinity') THEN 12
  ELSE 0
END
"""
OUTCOMES = 13
FORGOTTEN = 1
FORGOTTEN_USERS = "forgotten-users.json"
KNOWN_FILE = "COALESCE(file_number, RAISE_ERROR(CONCAT('no such file in the batch: ', file_path)))"

EVENT_COLUMNS = [
    "DATE_FROM_UNIX_DATE(INT(raw.ts DIV 86400000)) AS event_date",
    "CAST(TIMESTAMP_MILLIS(raw.ts) AS TIMESTAMP_NTZ) AS event_time",
    "COALESCE(raw.userId, '') AS user_id",
    "raw.sessionId AS session_id",
    "TRY_CAST(raw.itemInSession AS INT) AS item_in_session",
    "raw.page AS page",
    "raw.auth AS auth",
    "raw.level AS level",
    "raw.method AS method",
    "TRY_CAST(raw.status AS INT) AS status",
    "raw.artist AS artist",
    "raw.song AS song",
    "raw.length AS length_seconds",
    "raw.gender AS gender",
    "raw.location AS location",
    "raw.userAgent AS user_agent",
    "CAST(TIMESTAMP_MILLIS(IF(raw.registration BETWEEN 0 AND 1E14, raw.registration, NULL)) AS TIMESTAMP_NTZ) AS registered_at",
]


def hadoop_path(spark: SparkSession, uri: str) -> str:
    """The path as Spark reports it for a row, whatever characters are in it."""
    return spark._jvm.org.apache.hadoop.fs.Path(uri).toUri().toString()


def literal_path(uri: str) -> str:
    """The URI for a reader that takes patterns: a file's name is none, whatever characters are in it."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", uri)


def read_rows(
    spark: SparkSession, plan: dict, files: dict[int, str], forgotten: dict | None, *, keep_line: bool = False
) -> DataFrame:
    """One row a line that is not blank: its fields, its file's number, and as "outcome" what becomes of it.

    The line itself is carried on only when it is asked for: it is larger than all its fields.
    """
    paths = [literal_path(uri) for uri in files.values()]
    # The pattern settles the few lines that do not begin as an object does.
    lines = spark.read.text(paths).where("STARTSWITH(value, '{') OR value RLIKE '\\\\S'")
    parsed = parse_lines_kept(lines) if keep_line else parse_lines(spark, lines)
    numbered = parsed.join(F.broadcast(numbered_paths(spark, files)), "file_path", "left").select(
        F.expr(f"{KNOWN_FILE} AS file_number"),
        "raw",
        (is_bare(F.col("raw")) | is_marked(F.col("raw"))).alias("is_malformed"),
        *(["line"] if keep_line else []),
    )
    bounds = {
        "earliest": plan["ingest"]["earliestEventMilliseconds"],
        "latest": plan["ingest"]["latestEventMilliseconds"],
    }
    return (
        numbered.withColumns({"is_forgotten": is_forgotten(forgotten), "is_no_user_id": is_no_user_id()})
        .withColumn("outcome", F.expr(OUTCOME.format(**bounds)))
        .drop("is_malformed", "is_forgotten", "is_no_user_id")
    )


def parse_lines(spark: SparkSession, lines: DataFrame) -> DataFrame:
    """The fields of each line as "raw", and the path of its file.

    By Spark's reader of JSON, which is faster than its function: that decodes each line through a stream of its own.
    """
    # Encoders.STRING is the same, and loads Scala's reflection first.
    string_class = spark._jvm.java.lang.Class.forName("java.lang.String")
    text = spark._jvm.org.apache.spark.sql.Encoders.bean(string_class)
    marked = getattr(lines.select(marked_line())._jdf, "as")(text)
    reader = spark.read.schema(RAW_SCHEMA).options(**JSON_OPTIONS)
    fields = DataFrame(reader._jreader.json(marked), spark)
    return fields.select(F.struct("*").alias("raw"), F.input_file_name().alias("file_path"))


def parse_lines_kept(lines: DataFrame) -> DataFrame:
    """The same, and the line: the reader gives none back."""
    return lines.select(
        F.from_json(marked_line(), RAW_SCHEMA, JSON_OPTIONS).alias("raw"),
        F.input_file_name().alias("file_path"),
        F.col("value").alias("line"),
    )


def numbered_paths(spark: SparkSession, files: dict[int, str]) -> DataFrame:
    """The number of each file, by its path as Spark reports it; Spark makes it from a literal sooner than from rows."""
    known = [{"file_path": hadoop_path(spark, uri), "file_number": number} for number, uri in files.items()]
    rows = F.from_json(F.lit(json.dumps(known)), "ARRAY<STRUCT<file_path: STRING, file_number: INT>>")
    return spark.sql("SELECT 1").select(F.inline(rows))


def names_by_number(files: dict[int, str]) -> Column:
    """The name of a row's file: looked up where it is stored, so that no shuffle carries it."""
    names = F.array(*[F.lit(files.get(number)) for number in range(max(files) + 1)])
    return names[F.col("file_number")].alias("source_file")


def forgotten_users(files: Files, lake_root: str) -> dict | None:
    """The list of users who asked to be forgotten, as it is now."""
    uri = f"{lake_root}/{FORGOTTEN_USERS}"
    return files.read_json(uri) if files.exists(uri) else None


def is_forgotten(forgotten: dict | None) -> Column:
    """Whether the row's user is on the list."""
    if forgotten is None:
        return F.lit(False)
    return F.sha2(F.concat(F.lit(forgotten["salt"]), "raw.userId"), 256).isin(forgotten["hashes"])


def marked_line() -> Column:
    """The line, marked where it is anything but one JSON object.

    Marked is a line that shows when it is parsed, by a ts of the wrong type. What else can be read of it still is:
    whose it was decides what may be kept.
    """
    is_object = "STARTSWITH(value, '{') OR value RLIKE '^\\\\s*[{]'"
    is_broken = ~F.expr(is_object) | has_trailing_text() | is_not_utf8()
    return F.when(is_broken, F.regexp_replace("value", r"^\s*[{]?", MARK)).otherwise(F.col("value"))


def is_marked(raw: Column) -> Column:
    """Whether the line was marked."""
    return raw[UNREADABLE].startswith(MARK)


def is_bare(raw: Column) -> Column:
    """Whether nothing at all could be read of a line: its JSON is broken, or no field is of its type."""
    values = F.coalesce(*[raw[column].cast("string") for column in READ_COLUMNS])
    return raw[UNREADABLE].isNotNull() & values.isNull()


def is_no_user_id() -> Column:
    """Whether userId was another JSON value than a string or a whole number: Spark makes text of any.

    A number with a fraction is what some exporters make of ids when one is missing: it would be another user.
    """
    user = F.col("raw.userId")
    fraction = user.contains(".") & user.rlike(r"^-?\d+\.\d+$")
    return user.startswith("{") | user.startswith("[") | user.isin("true", "false") | fraction


def has_trailing_text() -> Column:
    """Whether more than an object stands on the line: Spark would lose the rest in silence.

    Such a line cannot be read as the only element of an array and as the value of a member both: what ends the one
    early does not end the other. That is tried where a brace closes before the last byte, or does not close there.
    """
    all_but_last = "STRING(SUBSTR(BINARY(value), 1, OCTET_LENGTH(value) - 1))"
    suspicious = f"NOT ENDSWITH(value, '}}') OR CONTAINS({all_but_last}, '}}')"
    elements = "SIZE(FROM_JSON(CONCAT('[', value, ']'), 'ARRAY<STRUCT<ts: STRING>>'))"
    member = """FROM_JSON(CONCAT('{"row":', value, '}'), 'row STRUCT<ts: STRING>').row"""
    return F.expr(f"IF({suspicious}, COALESCE({elements}, 0) <> 1 OR {member} IS NULL, FALSE)")


def is_not_utf8() -> Column:
    """Whether the line holds bytes that are no text: decoding replaces them."""
    return F.expr("ENCODE(value, 'UTF-8') <> BINARY(value)")


def tally(numbers: str, bins: int) -> Column:
    """Counts rows by a whole number within an observation, as JSON.

    Spark observes plain aggregates only; a histogram that has a bin for every value counts exactly. Where it joins
    equal values of several tasks, their mean can be off in the last digit: so it is given fractions, not to cut
    them off, and read by rounding.
    """
    return F.to_json(F.expr(f"HISTOGRAM_NUMERIC(DOUBLE({numbers}), {max(bins, 2)})"))


def counts_of(histogram: str | None) -> collections.Counter:
    """Reads a tally back; a value can stand in several bins."""
    counts = collections.Counter()
    for bin in json.loads(histogram or "[]"):
        counts[round(bin["x"])] += round(bin["y"])
    return counts


EVENTS = "lake.churn.events"
STAGED_EVENTS = "lake.churn.events.branch_staging"
CREATE_EVENTS = """
CREATE TABLE IF NOT EXISTS lake.churn.events (
  event_date date COMMENT 'UTC day of the event',
  event_time timestamp_ntz COMMENT 'time of the event, UTC',
  user_id string COMMENT 'user; empty when no user is signed in',
  session_id bigint COMMENT 'session; unique only together with the user',
  item_in_session int COMMENT 'position of the event in its session',
  page string COMMENT 'page that was visited',
  auth string COMMENT 'whether a user was signed in',
  level string COMMENT 'subscription at the time: free or paid',
  method string COMMENT 'HTTP method',
  status int COMMENT 'HTTP status',
  artist string COMMENT 'artist of the song played',
  song string COMMENT 'title of the song played',
  length_seconds double COMMENT 'length of the song played',
  gender string COMMENT 'gender the user registered with',
  location string COMMENT 'metropolitan area and state',
  user_agent string COMMENT 'the browser\\'s user agent',
  registered_at timestamp_ntz COMMENT 'when the user registered, UTC',
  source_file string COMMENT 'file the row was read from',
  batch_id string COMMENT 'batch that the row belongs to'
) USING iceberg
PARTITIONED BY (event_date)
COMMENT 'event, typed, de-duplicated, without names of people'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true',
  'write.parquet.dict-size-bytes' = '2048'
)
"""
OPEN_STAGING = "ALTER TABLE lake.churn.events CREATE BRANCH staging"
PUBLISH = "CALL lake.system.fast_forward('churn.events', 'main', 'staging')"
STAGING = "staging"
CLOSE_STAGING = "ALTER TABLE lake.churn.events DROP BRANCH IF EXISTS staging"

# Property of a snapshot of events: the batch that it was written for.
WRITTEN_FOR = "written-for-batch"

# Of a day that is larger, the users are spread over several tasks and files.
ROWS_PER_TASK = 500000

EVENT_NAMES = [
    "event_date",
    "event_time",
    "user_id",
    "session_id",
    "item_in_session",
    "page",
    "auth",
    "level",
    "method",
    "status",
    "artist",
    "song",
    "length_seconds",
    "gender",
    "location",
    "user_agent",
    "registered_at",
    "source_file",
    "batch_id",
]
EVENT_KEY = ["event_time", "session_id", "item_in_session", "page"]
TIE_BREAKERS = [
    "is_new",
    "file_number",
    "song",
    "artist",
    "length_seconds",
    "status",
    "level",
    "auth",
]


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


QUARANTINE = "lake.churn.quarantined_events"
CREATE_QUARANTINE = """
CREATE TABLE IF NOT EXISTS lake.churn.quarantined_events (
  ingest_date date COMMENT 'UTC day on which the batch was first planned',
  reason string COMMENT 'why it was refused',
  source_file string COMMENT 'file the row was read from',
  line string COMMENT 'the line, shortened to 4 KiB, with names of people blanked',
  batch_id string COMMENT 'batch that the row belongs to'
) USING iceberg
PARTITIONED BY (ingest_date)
COMMENT 'refused row'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true'
)
"""

PERSONAL_FIELD = '"(firstName|lastName)"\\s*:\\s*"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"(?=\\s*[,}])'
PERSONAL_REST = '(?s)(firstName|lastName)(?!"\\s*:\\s*(?:null\\b|"\\[redacted\\]")).*'
LONGEST_LINE_BYTES = 4096
RETENTION_DAYS = 30
MOST_EXAMPLES = 3


def shortened(line: Column) -> Column:
    """The line with the names of people blanked, cut to what is kept of it.

    Where a line that is no JSON names a personal field, nothing is kept from there on: where the name would end is
    anybody's guess.
    """
    blanked = F.regexp_replace(line, PERSONAL_FIELD, '"$1":"[redacted]"')
    safe = F.regexp_replace(blanked, PERSONAL_REST, "$1 [redacted]")
    return F.decode(F.substring(F.encode(safe, "UTF-8"), 1, LONGEST_LINE_BYTES), "UTF-8")


def forget_old_refusals(spark: SparkSession, plan: dict) -> None:
    """Deletes refused rows that have been kept for as long as they may be."""
    planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
    oldest = (planned_at - datetime.timedelta(days=RETENTION_DAYS)).date()
    held = spark.table(f"{QUARANTINE}.partitions")
    if held.where(F.col("partition.ingest_date") < F.lit(oldest)).limit(1).count() > 0:
        spark.sql(f"DELETE FROM {QUARANTINE} WHERE ingest_date < DATE '{oldest}'")  # noqa: S608


def quarantine_rows(
    spark: SparkSession,
    plan: dict,
    files: dict[int, str],
    refused: dict[int, dict[int, int]],
    forgotten: dict | None,
) -> None:
    """Replaces what the quarantine holds of this batch, reading again only the files with defective rows.

    Of forgotten users there is nothing to keep, so their rows are written from the counts.
    """
    batch = plan["batch"]
    spark.sql(CREATE_QUARANTINE)
    if newest_snapshot(spark, QUARANTINE) is not None:
        forget_old_refusals(spark, plan)
        forget_batches(spark, QUARANTINE, [batch["batchId"], *plan["abandonedBatchIds"]])
    reasons = F.array(*[F.lit(reason) for reason in REFUSAL_REASONS])

    def keep(rows: DataFrame) -> None:
        of_batch = rows.select(
            F.lit(batch["ingestDate"]).cast("date").alias("ingest_date"),
            F.element_at(reasons, F.col("outcome")).alias("reason"),
            names_by_number(files),
            "line",
            F.lit(batch["batchId"]).alias("batch_id"),
        )
        # One file; a shuffle, for without it one task would do all that leads here as well.
        of_batch.repartition(1).writeTo(QUARANTINE).append()

    defective = {number: files[number] for number in sorted(refused) if refused[number].keys() - {FORGOTTEN}}
    if defective:
        rows = read_rows(spark, plan, defective, forgotten, keep_line=True)
        defects = rows.where(f"outcome NOT IN (0, {FORGOTTEN})")
        keep(defects.withColumn("line", shortened(F.col("line"))))
    counts = [(number, of_file[FORGOTTEN]) for number, of_file in refused.items() if FORGOTTEN in of_file]
    if counts:
        rows = spark.createDataFrame(counts, "file_number int, rows int")
        repeated = rows.select("file_number", F.explode(F.sequence(F.lit(1), "rows")))
        keep(repeated.select("file_number", F.lit(FORGOTTEN).alias("outcome"), F.lit("").alias("line")))


def quarantined(spark: SparkSession, batch_id: str) -> tuple[dict[str, int], list[dict]]:
    """Refused rows of the batch by reason, and an example of each of the most frequent reasons."""
    if newest_snapshot(spark, QUARANTINE) is None:
        return {}, []
    rows = (
        spark.table(QUARANTINE)
        .where(F.col("batch_id") == batch_id)
        .groupBy("reason")
        .agg(F.count("*").alias("rows"), F.min(F.struct("source_file", "line")).alias("example"))
        .orderBy(F.desc("rows"), "reason")
        .collect()
    )
    examples = [
        {"reason": row.reason, "file": row.example.source_file, "line": row.example.line}
        for row in rows
        if row.reason != REFUSAL_REASONS[FORGOTTEN - 1]
    ][:MOST_EXAMPLES]
    return {row.reason: row["rows"] for row in rows}, examples


USER_DAYS = "lake.churn.user_days"
CREATE_USER_DAYS = """
CREATE TABLE IF NOT EXISTS lake.churn.user_days (
  day date COMMENT 'UTC day',
  user_id string COMMENT 'user',
  events bigint COMMENT 'events of the user on the day',
  songs bigint COMMENT 'events on page NextSong',
  home_visits bigint COMMENT 'events on page Home',
  thumbs_up bigint COMMENT 'events on page Thumbs Up',
  thumbs_down bigint COMMENT 'events on page Thumbs Down',
  playlist_adds bigint COMMENT 'events on page Add to Playlist',
  friend_adds bigint COMMENT 'events on page Add Friend',
  adverts bigint COMMENT 'events on page Roll Advert',
  logouts bigint COMMENT 'events on page Logout',
  downgrade_visits bigint COMMENT 'events on page Downgrade',
  downgrades bigint COMMENT 'events on page Submit Downgrade',
  upgrade_visits bigint COMMENT 'events on page Upgrade',
  upgrades bigint COMMENT 'events on page Submit Upgrade',
  help_visits bigint COMMENT 'events on page Help',
  settings_visits bigint COMMENT 'events on page Settings',
  settings_saves bigint COMMENT 'events on page Save Settings',
  about_visits bigint COMMENT 'events on page About',
  errors bigint COMMENT 'events on page Error',
  cancel_visits bigint COMMENT 'events on page Cancel',
  cancellations bigint COMMENT 'events on page Cancellation Confirmation',
  paid_events bigint COMMENT 'events while the subscription was paid',
  paid_songs bigint COMMENT 'songs played while the subscription was paid',
  song_seconds double COMMENT 'sum of the lengths of the songs played',
  sessions bigint COMMENT 'sessions with an event on the day (including one that began the day before)',
  session_seconds double COMMENT 'time between first and last event of each session, within the day',
  artist_sketch binary COMMENT 'HyperLogLog sketch of the artists played (Apache DataSketches)',
  first_event_at timestamp_ntz COMMENT 'first event of the day',
  last_event_at timestamp_ntz COMMENT 'last event of the day',
  first_session_id bigint COMMENT 'session of the first event',
  first_session_started_at timestamp_ntz COMMENT 'the first session\\'s first event on the day',
  first_session_ended_at timestamp_ntz COMMENT 'the first session\\'s last event on the day',
  last_session_id bigint COMMENT 'session of the last event',
  last_session_started_at timestamp_ntz COMMENT 'the last session\\'s first event on the day',
  last_session_ended_at timestamp_ntz COMMENT 'the last session\\'s last event on the day',
  level string COMMENT 'subscription at the latest event',
  gender string COMMENT 'gender at the latest event',
  location string COMMENT 'metropolitan area and state at the latest event',
  user_agent string COMMENT 'user agent at the latest event',
  registered_at timestamp_ntz COMMENT 'registration at the latest event'
) USING iceberg
PARTITIONED BY (day)
COMMENT 'user x UTC day'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true'
)
"""

SESSION_DAYS = """
SELECT
  event_date,
  user_id,
  session_id,
  COUNT(*) AS events,
  COUNT_IF(page = 'NextSong') AS songs,
  COUNT_IF(page = 'Home') AS home_visits,
  COUNT_IF(page = 'Thumbs Up') AS thumbs_up,
  COUNT_IF(page = 'Thumbs Down') AS thumbs_down,
  COUNT_IF(page = 'Add to Playlist') AS playlist_adds,
  COUNT_IF(page = 'Add Friend') AS friend_adds,
  COUNT_IF(page = 'Roll Advert') AS adverts,
  COUNT_IF(page = 'Logout') AS logouts,
  COUNT_IF(page = 'Downgrade') AS downgrade_visits,
  COUNT_IF(page = 'Submit Downgrade') AS downgrades,
  COUNT_IF(page = 'Upgrade') AS upgrade_visits,
  COUNT_IF(page = 'Submit Upgrade') AS upgrades,
  COUNT_IF(page = 'Help') AS help_visits,
  COUNT_IF(page = 'Settings') AS settings_visits,
  COUNT_IF(page = 'Save Settings') AS settings_saves,
  COUNT_IF(page = 'About') AS about_visits,
  COUNT_IF(page = 'Error') AS errors,
  COUNT_IF(page = 'Cancel') AS cancel_visits,
  COUNT_IF(page = 'Cancellation Confirmation') AS cancellations,
  COUNT_IF(level = 'paid') AS paid_events,
  COUNT_IF(level = 'paid' AND page = 'NextSong') AS paid_songs,
  COALESCE(SUM(length_seconds), 0D) AS song_seconds,
  MIN(event_time) AS started_at,
  MAX(event_time) AS ended_at
FROM {events}
WHERE event_date IN ({days}) AND auth IN ('Logged In', 'Cancelled')
GROUP BY event_date, user_id, session_id
"""

DAY_ATTRIBUTES = """
SELECT
  event_date,
  user_id,
  HLL_SKETCH_AGG(artist, 9) AS artist_sketch,
  MAX(STRUCT(event_time, item_in_session, level, gender, location, user_agent, registered_at)) AS latest
FROM {events}
WHERE event_date IN ({days}) AND auth IN ('Logged In', 'Cancelled')
GROUP BY event_date, user_id
"""

ROLL_UP = """
SELECT
  event_date AS day,
  user_id,
  SUM(events) AS events,
  SUM(songs) AS songs,
  SUM(home_visits) AS home_visits,
  SUM(thumbs_up) AS thumbs_up,
  SUM(thumbs_down) AS thumbs_down,
  SUM(playlist_adds) AS playlist_adds,
  SUM(friend_adds) AS friend_adds,
  SUM(adverts) AS adverts,
  SUM(logouts) AS logouts,
  SUM(downgrade_visits) AS downgrade_visits,
  SUM(downgrades) AS downgrades,
  SUM(upgrade_visits) AS upgrade_visits,
  SUM(upgrades) AS upgrades,
  SUM(help_visits) AS help_visits,
  SUM(settings_visits) AS settings_visits,
  SUM(settings_saves) AS settings_saves,
  SUM(about_visits) AS about_visits,
  SUM(errors) AS errors,
  SUM(cancel_visits) AS cancel_visits,
  SUM(cancellations) AS cancellations,
  SUM(paid_events) AS paid_events,
  SUM(paid_songs) AS paid_songs,
  ROUND(SUM(song_seconds), 6) AS song_seconds,
  COUNT(*) AS sessions,
  SUM(TIMESTAMPDIFF(MILLISECOND, started_at, ended_at)) / 1000D AS session_seconds,
  MIN(STRUCT(started_at, ended_at, session_id)) AS first_session,
  MAX(STRUCT(ended_at, started_at, session_id)) AS last_session
FROM session_days
GROUP BY event_date, user_id
"""

USER_DAY_COLUMNS = [
    "day",
    "user_id",
    "events",
    "songs",
    "home_visits",
    "thumbs_up",
    "thumbs_down",
    "playlist_adds",
    "friend_adds",
    "adverts",
    "logouts",
    "downgrade_visits",
    "downgrades",
    "upgrade_visits",
    "upgrades",
    "help_visits",
    "settings_visits",
    "settings_saves",
    "about_visits",
    "errors",
    "cancel_visits",
    "cancellations",
    "paid_events",
    "paid_songs",
    "song_seconds",
    "sessions",
    "session_seconds",
    "artist_sketch",
    "first_session.started_at AS first_event_at",
    "last_session.ended_at AS last_event_at",
    "first_session.session_id AS first_session_id",
    "first_session.started_at AS first_session_started_at",
    "first_session.ended_at AS first_session_ended_at",
    "last_session.session_id AS last_session_id",
    "last_session.started_at AS last_session_started_at",
    "last_session.ended_at AS last_session_ended_at",
    "latest.level AS level",
    "latest.gender AS gender",
    "latest.location AS location",
    "latest.user_agent AS user_agent",
    "latest.registered_at AS registered_at",
]

# Property of a snapshot of user_days: the snapshot of events that it was computed from.
COMPUTED_FROM = "computed-from-events-snapshot"


def changed_days(spark: SparkSession) -> set[datetime.date]:
    """Days of events that have changed since user_days were computed.

    The lineage of snapshots tells, not the steps of this run: whatever an interrupted run left behind is
    found as well, and a repeat finds the same.
    """
    events = iceberg_table(spark, EVENTS)
    since = snapshots_since(events, events.currentSnapshot(), computed_from(spark))
    if since is not None:
        return set().union(*[days_changed(spark, events, snapshot) for snapshot in since])
    held = spark.table(EVENTS).select("event_date")
    known = spark.table(USER_DAYS).select("day")
    return {row.event_date for row in held.union(known).distinct().collect()}


def computed_from(spark: SparkSession) -> str | None:
    """The snapshot of events that the current user_days were computed from."""
    current = iceberg_table(spark, USER_DAYS).currentSnapshot()
    return None if current is None else current.summary().get(COMPUTED_FROM)


def refresh_user_days(spark: SparkSession) -> int:
    """Recomputes the days of user_days whose events have changed; returns how many."""
    spark.sql(CREATE_USER_DAYS)
    source = newest_snapshot(spark, EVENTS)
    if source is None:
        return 0
    days = changed_days(spark)
    if not days:
        return 0
    literals = ", ".join(f"DATE '{day}'" for day in sorted(days))
    spark.sql(SESSION_DAYS.format(events=EVENTS, days=literals)).createOrReplaceTempView("session_days")
    attributes = spark.sql(DAY_ATTRIBUTES.format(events=EVENTS, days=literals))
    (
        spark.sql(ROLL_UP)
        .join(attributes.withColumnRenamed("event_date", "day"), ["day", "user_id"])
        .selectExpr(*USER_DAY_COLUMNS)
        .repartition("day")
        .sortWithinPartitions("day", "user_id")
        .writeTo(USER_DAYS)
        .option(f"snapshot-property.{COMPUTED_FROM}", source)
        .overwrite(F.expr(f"day IN ({literals})"))
    )
    return len(days)


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


if __name__ == "__main__":
    main()
