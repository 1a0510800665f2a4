/** Reading the raw log: one row a line, typed, with what becomes of it. */
import {
  AUTHS,
  FORGOTTEN_USER,
  LEVELS,
  PAGES,
  PERSONAL_COLUMNS,
  RAW_COLUMNS,
  type RawColumnName,
  type RawType,
  REFUSAL_REASONS,
  type RefusalCode,
  SECONDS_BELOW_MILLISECONDS,
  SECONDS_PER_DAY,
  USER_AUTHS,
} from '../../domain/events.ts';
import { type Column, EVENTS } from '../../domain/lake.ts';
import { FORGOTTEN_USERS } from '../../domain/lake-objects.ts';
import { python } from '../python.ts';
import { sqlText } from './sql.ts';
import { sqlString, sqlStrings } from './tables.ts';

const SPARK_TYPES: Record<RawType, string> = { string: 'string', integer: 'bigint', number: 'double' };

const UNREADABLE = 'unreadable';
const READ_COLUMNS = RAW_COLUMNS.filter((column) => !PERSONAL_COLUMNS.includes(column.name));
const RAW_SCHEMA = [
  ...READ_COLUMNS.map((column) => `${column.name} ${SPARK_TYPES[column.type]}`),
  `${UNREADABLE} string`,
];

/** A column of the raw log as it was parsed: all of them stay together, for Spark copies them as one then. */
const parsed = (name: RawColumnName | typeof UNREADABLE): string => `raw.${name}`;

/** When each reason holds, over the parsed columns; {earliest} and {latest} are bounds of the plan, in milliseconds. */
const REFUSALS: Record<RefusalCode, string> = {
  forgotten_user: 'is_forgotten',
  malformed_json: 'is_malformed',
  wrong_type: `${parsed(UNREADABLE)} IS NOT NULL OR is_no_user_id`,
  missing_ts: `${parsed('ts')} IS NULL`,
  ts_in_seconds: `${parsed('ts')} > 0 AND ${parsed('ts')} < ${SECONDS_BELOW_MILLISECONDS}`,
  ts_out_of_range: `${parsed('ts')} < {earliest} OR ${parsed('ts')} >= {latest}`,
  unknown_auth: `${parsed('auth')} IS NULL OR ${parsed('auth')} NOT IN (${sqlStrings(AUTHS)})`,
  missing_user_id: `${parsed('auth')} IN (${sqlStrings(USER_AUTHS)}) AND COALESCE(${parsed('userId')}, '') = ''`,
  missing_page: `${parsed('page')} IS NULL`,
  unknown_page: `${parsed('page')} NOT IN (\n    ${PAGES.map(sqlString).join(',\n    ')}\n  )`,
  unknown_level: `${parsed('level')} NOT IN (${sqlStrings(LEVELS)})`,
  impossible_length: `${parsed('length')} < 0 OR ${parsed('length')} = DOUBLE('Infinity')`,
};

const OUTCOME = [
  'CASE',
  ...REFUSAL_REASONS.map((reason, index) => `  WHEN ${REFUSALS[reason.code]} THEN ${index + 1}`),
  '  ELSE 0',
  'END',
].join('\n');

/** Epoch milliseconds that a timestamp can hold: to the year 5138. */
const MOST_MILLISECONDS = '1E14';

/** How a column of `events` comes from the raw columns. */
function eventExpression(column: Column): string {
  if (column.name === 'event_date') {
    return `DATE_FROM_UNIX_DATE(INT(${parsed('ts')} DIV ${SECONDS_PER_DAY * 1000}))`;
  }
  if (column.name === 'user_id') return `COALESCE(${parsed('userId')}, '')`;
  const from = RAW_COLUMNS.find(({ name }) => name === column.from)?.name;
  if (from === undefined)
    throw new Error(`events.${column.name} comes from ${column.from}, which the raw log has not`);
  const raw = parsed(from);
  if (column.type === 'int') return `TRY_CAST(${raw} AS INT)`;
  if (column.type !== 'timestamp_ntz') return raw;
  const possible = from === 'ts' ? raw : `IF(${raw} BETWEEN 0 AND ${MOST_MILLISECONDS}, ${raw}, NULL)`;
  return `CAST(TIMESTAMP_MILLIS(${possible}) AS TIMESTAMP_NTZ)`;
}

/** Filled in behind the shuffle: they are the same for whole files. */
const LATE_COLUMNS = ['source_file', 'batch_id'];

const EVENT_COLUMNS = EVENTS.columns
  .filter(({ name }) => !LATE_COLUMNS.includes(name))
  .map((column: Column) => `${eventExpression(column)} AS ${column.name}`);

export const eventRows = python`
  READ_COLUMNS = ${READ_COLUMNS.map((column) => column.name)}
  # Where Spark puts a line that it could not read whole.
  UNREADABLE = ${UNREADABLE}
  RAW_SCHEMA = ${sqlText(RAW_SCHEMA.join(',\n'))}
  # How a line begins that is not one JSON object.
  MARK = '{"ts":"not one object",'

  # Strict: Spark by itself takes single quotes, and a length of NaN, which would spoil every sum that it enters.
  JSON_OPTIONS = {
      "columnNameOfCorruptRecord": UNREADABLE,
      "allowNonNumericNumbers": "false",
      "allowSingleQuotes": "false",
  }

  REFUSAL_REASONS = ${REFUSAL_REASONS.map((reason) => reason.code)}

  # 0 stands for an accepted row, n for the nth of REFUSAL_REASONS: the first that holds.
  OUTCOME = ${sqlText(OUTCOME)}
  OUTCOMES = ${REFUSAL_REASONS.length + 1}
  FORGOTTEN = ${REFUSAL_REASONS.indexOf(FORGOTTEN_USER) + 1}
  FORGOTTEN_USERS = ${FORGOTTEN_USERS.key}
  KNOWN_FILE = "COALESCE(file_number, RAISE_ERROR(CONCAT('no such file in the batch: ', file_path)))"

  EVENT_COLUMNS = ${EVENT_COLUMNS}


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
      return F.sha2(F.concat(F.lit(forgotten["salt"]), ${parsed('userId')}), 256).isin(forgotten["hashes"])


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
      user = F.col(${parsed('userId')})
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
`;
