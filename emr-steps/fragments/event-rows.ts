/** From the raw log to typed rows, each with its outcome: accepted, or the first reason that refuses it. */
import {
  AUTHS,
  FORGOTTEN_USER,
  GENDERS,
  LEVELS,
  METHODS,
  PAGES,
  RAW_COLUMNS,
  REFUSAL_REASONS,
  type RefusalCode,
  SECONDS_BELOW_MILLISECONDS,
  SECONDS_PER_DAY,
  USER_AUTHS,
} from '../../domain/events.ts';
import { type Column, EVENTS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { fileNumbers } from './file-numbers.ts';
import { forgottenUsers } from './forgotten-users.ts';
import { parsed, UNREADABLE } from './raw-columns.ts';
import { rawLines } from './raw-lines.ts';
import { sqlText } from './sql.ts';
import { sqlString, sqlStrings } from './tables.ts';
import { planTypes } from './types.ts';

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

/** Columns whose other words are not taken over: a row is not refused for them, but they could be anything. */
const ONLY_WORDS: Partial<Record<string, readonly string[]>> = { gender: GENDERS, method: METHODS };

/** How a column of `events` comes from the raw columns. */
function eventExpression(column: Column): string {
  if (column.name === 'event_date') {
    return `DATE_FROM_UNIX_DATE(INT(${parsed('ts')} DIV ${SECONDS_PER_DAY * 1000}))`;
  }
  if (column.name === 'user_id') return `COALESCE(${parsed('userId')}, '')`;
  const from = RAW_COLUMNS.find(({ name }) => name === column.from)?.name;
  if (from === undefined)
    throw new Error(`events.${column.name} comes from ${column.from}, which is not a column of the raw log`);
  const raw = parsed(from);
  const words = ONLY_WORDS[from];
  if (words !== undefined) return `IF(${raw} IN (${sqlStrings(words)}), ${raw}, NULL)`;
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

export const eventRows = fragment({
  file: import.meta.url,
  needs: [planTypes, rawLines, fileNumbers, forgottenUsers],
  imports: [
    'from pyspark.sql import Column, DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    REFUSAL_REASONS = ${REFUSAL_REASONS.map((reason) => reason.code)}

    # 0 is an accepted row, n the nth of REFUSAL_REASONS: the first that holds.
    OUTCOME = ${sqlText(OUTCOME)}
    OUTCOMES = ${REFUSAL_REASONS.length + 1}
    FORGOTTEN = ${REFUSAL_REASONS.indexOf(FORGOTTEN_USER) + 1}
    KNOWN_FILE = "COALESCE(file_number, RAISE_ERROR(CONCAT('no such file in the batch: ', file_path)))"

    EVENT_COLUMNS = ${EVENT_COLUMNS}
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
        paths = [literal_path(uri) for uri in files.values()]
        # The pattern settles the few lines that do not begin as an object does.
        lines = spark.read.text(paths).where("STARTSWITH(value, '{') OR value RLIKE '\\\\S'")
        parsed = parse_lines_kept(lines) if keep_line else parse_lines(lines)
        numbered = parsed.join(F.broadcast(numbered_paths(spark, files)), "file_path", "left").select(
            F.expr(f"{KNOWN_FILE} AS file_number"),
            "raw",
            (is_bare(F.col("raw")) | is_marked(F.col("raw"))).alias("is_malformed"),
            *(["line", "is_utf8"] if keep_line else []),
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


    def is_no_user_id() -> Column:
        """Whether userId was another JSON value than a string or a whole number: Spark makes text of any.

        A number with a fraction is what some exporters make of ids when one is missing: it would be another user.
        """
        user = F.col(${parsed('userId')})
        fraction = user.contains(".") & user.rlike(r"^-?\d+\.\d+$")
        return user.startswith("{") | user.startswith("[") | user.isin("true", "false") | fraction
  `,
});
