/** From the raw log to typed rows, each with its outcome: accepted, or the first reason that refuses it. */
import {
  AUTHS,
  FORGOTTEN_USER,
  GENDERS,
  LEVELS,
  METHODS,
  PAGES,
  RAW_COLUMNS,
  type RawColumnName,
  REFUSAL_REASONS,
  type RefusalCode,
  SECONDS_BELOW_MILLISECONDS,
  SECONDS_PER_DAY,
  SONG_PAGE,
  USER_AUTHS,
} from '../../domain/events.ts';
import { type Column, EVENTS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { cutObjects } from './cut-objects.ts';
import { fileNumbers } from './file-numbers.ts';
import { forgottenUsers } from './forgotten-users.ts';
import { plainLines } from './plain-lines.ts';
import { parsed, UNREADABLE } from './raw-columns.ts';
import { rawLines } from './raw-lines.ts';
import { sqlText } from './sql.ts';
import { sqlString, sqlStrings } from './tables.ts';
import { planTypes } from './types.ts';

/** When each reason holds, over the parsed columns; {earliest} and {latest} are bounds of the plan, in milliseconds. */
const REFUSALS: Record<RefusalCode, string> = {
  forgotten_user: 'is_forgotten',
  malformed_json: 'is_malformed',
  two_spellings: 'is_ambiguous',
  wrong_type: `${parsed(UNREADABLE)} IS NOT NULL OR is_no_user_id OR is_refused`,
  missing_ts: `${parsed('ts')} IS NULL`,
  ts_in_seconds: `${parsed('ts')} > 0 AND ${parsed('ts')} < ${SECONDS_BELOW_MILLISECONDS}`,
  ts_out_of_range: `${parsed('ts')} < {earliest} OR ${parsed('ts')} >= {latest}`,
  unknown_auth: `${parsed('auth')} IS NULL OR ${parsed('auth')} NOT IN (${sqlStrings(AUTHS)})`,
  missing_user_id: `${parsed('auth')} IN (${sqlStrings(USER_AUTHS)}) AND COALESCE(${parsed('userId')}, '') = ''`,
  missing_page: `NULLIF(${parsed('page')}, '') IS NULL`,
  unknown_page: `${parsed('page')} NOT IN (\n    ${PAGES.map(sqlString).join(',\n    ')}\n  )`,
  unknown_level: `NULLIF(${parsed('level')}, '') NOT IN (${sqlStrings(LEVELS)})`,
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

/** Columns whose other words are not taken over: a row is not refused for them, but they could be anything. */
const ONLY_WORDS: Partial<Record<string, readonly string[]>> = { gender: GENDERS, method: METHODS };

const isAbsent = (...columns: readonly RawColumnName[]): string =>
  columns.map((column) => `${parsed(column)} IS NULL`).join(' OR ');
/** Accepted rows without these may have them under another name. A log that never has one of them costs a look at its lines. */
const INCOMPLETE = [
  isAbsent('sessionId', 'itemInSession'),
  isAbsent('method', 'status', 'level'),
  `${parsed('auth')} IN (${sqlStrings(USER_AUTHS)})\n  AND (${isAbsent('registration', 'gender', 'location', 'userAgent')})`,
  `${parsed('page')} = ${sqlString(SONG_PAGE)} AND (${isAbsent('artist', 'song', 'length')})`,
].join('\n  OR ');
const COUNTED_AS = `IF(\n  outcome = 0 AND (${INCOMPLETE}),\n  ${REFUSAL_REASONS.length + 1}, outcome\n)`;

const DAY_MILLISECONDS = SECONDS_PER_DAY * 1000;

/** How a column of `events` comes from the raw columns. */
function eventExpression(column: Column): string {
  if (column.name === 'event_date') {
    return `DATE_FROM_UNIX_DATE(INT(${parsed('ts')} DIV ${DAY_MILLISECONDS}))`;
  }
  if (column.name === 'user_id') return `COALESCE(${parsed('userId')}, '')`;
  const from = RAW_COLUMNS.find(({ name }) => name === column.from)?.name;
  if (from === undefined)
    throw new Error(`events.${column.name} comes from ${column.from}, which is not a column of the raw log`);
  const raw = parsed(from);
  const words = ONLY_WORDS[from];
  if (words !== undefined) return `IF(${raw} IN (${sqlStrings(words)}), ${raw}, NULL)`;
  if (column.type === 'string') return `NULLIF(${raw}, '')`;
  if (column.type === 'int') return `TRY_CAST(${raw} AS INT)`;
  if (column.type !== 'timestamp_ntz') return raw;
  const possible = from === 'ts' ? raw : `IF(${raw} BETWEEN 0 AND ${MOST_MILLISECONDS}, ${raw}, NULL)`;
  return `CAST(TIMESTAMP_MILLIS(${possible}) AS TIMESTAMP_NTZ)`;
}

/**
 * In this order the rows of a day are stored: user after user, and those of a user by time and place in the session. As one
 * whole number, since Spark sorts by a single number in linear time and compares no rows: the day has the highest 8 bits, a
 * hash of the user 19, the time of day 27 and the place 10. What is cut off changes the order of some rows, and no value.
 */
const SORT_KEY = [
  `SHIFTLEFT(${parsed('ts')} DIV ${DAY_MILLISECONDS}, 56)`,
  `SHIFTLEFT(HASH(${parsed('userId')}) & ${2 ** 19 - 1}L, 37)`,
  `SHIFTLEFT(${parsed('ts')} % ${DAY_MILLISECONDS}, 10)`,
  `COALESCE(${parsed('itemInSession')}, 0L) & ${2 ** 10 - 1}L`,
].join(' |\n');

/** Filled in behind the shuffle: they are the same for whole files. */
const LATE_COLUMNS = ['source_file', 'batch_id'];

const EVENT_COLUMNS = EVENTS.columns
  .filter(({ name }) => !LATE_COLUMNS.includes(name))
  .map((column: Column) => `${eventExpression(column)} AS ${column.name}`);

export const eventRows = fragment({
  file: import.meta.url,
  needs: [planTypes, rawLines, plainLines, cutObjects, fileNumbers, forgottenUsers],
  imports: [
    'import functools',
    'from pyspark.sql import Column, DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    REFUSAL_REASONS = ${REFUSAL_REASONS.map((reason) => reason.code)}

    # 0 is an accepted row, n the nth of REFUSAL_REASONS: the first that holds.
    OUTCOME = ${sqlText(OUTCOME)}
    # After them, accepted rows that lack what another spelling may hold: they are counted apart.
    INCOMPLETE = ${REFUSAL_REASONS.length + 1}
    OUTCOMES = ${REFUSAL_REASONS.length + 2}
    COUNTED_AS = ${sqlText(COUNTED_AS)}
    MALFORMED = ${REFUSAL_REASONS.findIndex(({ code }) => code === 'malformed_json') + 1}
    FORGOTTEN = ${REFUSAL_REASONS.indexOf(FORGOTTEN_USER) + 1}
    KNOWN_FILE = "COALESCE(file_number, RAISE_ERROR(CONCAT('no such file in the batch: ', file_path)))"

    EVENT_COLUMNS = ${EVENT_COLUMNS}
    SORT_KEY = ${sqlText(`${SORT_KEY} AS sort_key`)}
  `,
  code: python`
    def read_rows(
        spark: SparkSession,
        plan: Plan,
        files: dict[int, str],
        forgotten: ForgottenUsers | None,
        *,
        keep_line: bool = False,
    ) -> DataFrame:
        """One row a line that is not blank: its fields, its file's number, and its "outcome".

        The line itself is carried on only when it is asked for: it is larger than all its fields.
        """
        lines = text_lines(spark, files)
        parsed = parse_lines_kept(lines) if keep_line else parse_lines(lines)
        plain = parsed.withColumns({"is_ambiguous": F.lit(False), "is_refused": F.lit(False)})
        return with_outcomes(spark, plan, plain, files, forgotten)


    def text_lines(spark: SparkSession, files: dict[int, str]) -> DataFrame:
        """The lines of the files that are not blank."""
        # The pattern settles the few lines that do not begin as an object does.
        return read_lines(spark, files.values()).where("STARTSWITH(value, '{') OR value RLIKE '\\\\S'")


    def read_adapted_rows(
        spark: SparkSession, plan: Plan, files: dict[int, str], cut: set[int], forgotten: ForgottenUsers | None
    ) -> DataFrame:
        """The rows of files that are read tolerantly, some of them cut into their objects first, with what was adapted.

        In a strict run a row that would have to be adapted is refused.
        """
        whole = {number: uri for number, uri in files.items() if number in cut or is_packed_in_capitals(uri)}
        by_line = {number: uri for number, uri in files.items() if number not in whole}
        lines: list[DataFrame] = []
        if by_line:
            read = text_lines(spark, by_line).select(F.input_file_name().alias("file_path"), "value")
            lines.append(read.withColumn("adapted", F.lit(0)))
        if whole:
            lines.append(cut_lines(spark, whole))
        parsed = parse_plain_lines(functools.reduce(DataFrame.unionByName, lines))
        is_strict = plan["ingest"].get("strict", False)
        is_refused = (F.col("adapted") % COUNTED > 0) if is_strict else F.lit(False)
        return with_outcomes(spark, plan, parsed.withColumn("is_refused", is_refused), files, forgotten)


    def with_outcomes(
        spark: SparkSession,
        plan: Plan,
        parsed: DataFrame,
        files: dict[int, str],
        forgotten: ForgottenUsers | None,
    ) -> DataFrame:
        """Parsed lines with the number of their file in place of its path, and their outcome."""
        kept = [column for column in parsed.columns if column not in ("raw", "file_path")]
        numbered = parsed.join(F.broadcast(numbered_paths(spark, files)), "file_path", "left").select(
            F.expr(f"{KNOWN_FILE} AS file_number"),
            "raw",
            (is_bare(F.col("raw")) | is_marked(F.col("raw"))).alias("is_malformed"),
            *kept,
        )
        bounds = {
            "earliest": plan["ingest"]["earliestEventMilliseconds"],
            "latest": plan["ingest"]["latestEventMilliseconds"],
        }
        return (
            numbered.withColumns({"is_forgotten": is_forgotten(forgotten), "is_no_user_id": is_no_user_id()})
            .withColumn("outcome", F.expr(OUTCOME.format(**bounds)))
            .drop("is_malformed", "is_forgotten", "is_no_user_id", "is_ambiguous", "is_refused")
        )


    def is_no_user_id() -> Column:
        """Whether userId was another JSON value than a string or a whole number: Spark makes text of any.

        A number with a fraction or an exponent is what some exporters make of ids when one is missing: it would be another
        user. The second look at its file takes it as its whole number, if it is one.
        """
        user = F.col(${parsed('userId')})
        fraction = user.contains(".") & user.rlike(r"^-?\d+\.\d+([eE][+-]?\d+)?$")
        return user.startswith("{") | user.startswith("[") | user.isin("true", "false") | fraction
  `,
});
