/** Parsing the lines of the raw log, strictly: what is not one JSON object in UTF-8 shows as such. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { hadoopFiles, jsonReader } from './jvm.ts';
import { plainLines } from './plain-lines.ts';
import { RAW_SCHEMA, READ_COLUMNS, TEXT_COLUMNS, UNREADABLE } from './raw-columns.ts';
import { sqlText } from './sql.ts';

export const rawLines = fragment({
  file: import.meta.url,
  needs: [hadoopFiles, jsonReader, plainLines],
  imports: [
    'from collections.abc import Iterable',
    'from pyspark.sql import Column, DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    READ_COLUMNS = ${READ_COLUMNS}
    # Where Spark puts a line that it could not read whole.
    UNREADABLE = ${UNREADABLE}
    RAW_SCHEMA = ${sqlText(RAW_SCHEMA)}
    # How a line is made to begin that is not one JSON object.
    MARK = '{"ts":"not one object",'
    # How one is made to begin that has an object or an array where text belongs: Spark would take it as its text.
    NESTED_MARK = '{"ts":"nested",'
    NESTED_TEXT = ${`"(${TEXT_COLUMNS.join('|')})"\\s*:\\s*[\\[{]`}

    BEST_LINE = "IF(is_utf8, COALESCE(plain.line, line), line)"

    # The first is Spark's own, of streams: names with a colon cannot be looked up as patterns.
    READ_OPTIONS = {"__globPaths__": "false", "recursiveFileLookup": "true"}
    # Strict: Spark by itself accepts single quotes, and a length of NaN, which would spoil every sum that it enters.
    JSON_OPTIONS = {
        "columnNameOfCorruptRecord": UNREADABLE,
        "allowNonNumericNumbers": "false",
        "allowSingleQuotes": "false",
    }
  `,
  code: python`
    def read_lines(spark: SparkSession, uris: Iterable[str], line_end: str | None = None) -> DataFrame:
        """The lines of files, or what is between other ends. Neither their names nor their folders' are interpreted."""
        paths = list(uris)
        if paths:
            hadoop_file_system(spark, paths[0])
        return spark.read.options(**READ_OPTIONS).text(paths, lineSep=line_end)


    def parse_lines(lines: DataFrame) -> DataFrame:
        """The fields of each line as "raw", and the path of its file.

        By Spark's reader of JSON, which is faster than its function: that decodes each line through a stream of its own.
        """
        fields = read_json(looked_into(lines).select(marked_line()), RAW_SCHEMA, JSON_OPTIONS)
        return fields.select(F.struct("*").alias("raw"), F.input_file_name().alias("file_path"))


    def parse_lines_kept(lines: DataFrame) -> DataFrame:
        """The same, and the line: the reader does not return it."""
        return looked_into(lines).select(
            F.from_json(marked_line(), RAW_SCHEMA, JSON_OPTIONS).alias("raw"),
            F.input_file_name().alias("file_path"),
            F.col("value").alias("line"),
            (~is_not_utf8()).alias("is_utf8"),
        )


    def parse_plain_lines(lines: DataFrame) -> DataFrame:
        """The fields of lines in their plain form, and what was adapted; takes "file_path", "value" and "adapted"."""
        plain = F.udf(plain_line, PLAIN_LINE)
        seen = lines.withColumns({"is_utf8": ~is_not_utf8(), "plain": plain("value")})
        in_place = seen.withColumnRenamed("value", "line").withColumn("value", F.expr(BEST_LINE))
        return looked_into(in_place).select(
            F.from_json(marked_line(), RAW_SCHEMA, JSON_OPTIONS).alias("raw"),
            "file_path",
            "line",
            "is_utf8",
            F.col("plain.changes").bitwiseOR(F.col("adapted")).alias("adapted"),
            "plain.is_ambiguous",
        )


    def looked_into(lines: DataFrame) -> DataFrame:
        """The lines, each with what is within it, and whether a brace closes there or none closes at its end.

        Columns of their own, so that each is computed once. By bytes: to cut text, Spark steps over every character of it.
        """
        within = F.expr("STRING(SUBSTR(BINARY(value), 2, OCTET_LENGTH(value) - 2))")
        closes_early = F.expr("NOT ENDSWITH(value, '}') OR CONTAINS(within, '}')")
        return lines.withColumn("within", within).withColumn("closes_early", closes_early)


    def marked_line() -> Column:
        """The line, marked where it is anything but one JSON object, or nested where it must not be.

        A marked line shows when it is parsed, by a ts of the wrong type. What else can be read of it still is: whose
        it was decides what may be kept. Takes lines that were looked into.
        """
        is_object = "STARTSWITH(value, '{') OR value RLIKE '^\\\\s*[{]'"
        is_broken = ~F.expr(is_object) | has_trailing_text() | is_not_utf8()
        begin = r"^\s*[{]?"
        marked = F.when(is_broken, F.regexp_replace("value", begin, MARK))
        nested = F.regexp_replace("value", begin, NESTED_MARK)
        return marked.when(has_nested_text(), nested).otherwise(F.col("value"))


    def is_marked(raw: Column) -> Column:
        """Whether the line was marked."""
        return raw[UNREADABLE].startswith(MARK)


    def is_bare(raw: Column) -> Column:
        """Whether nothing at all could be read of a line: its JSON is broken, or no field is of its type."""
        values = F.coalesce(*[raw[column].cast("string") for column in READ_COLUMNS])
        return raw[UNREADABLE].isNotNull() & ~raw[UNREADABLE].startswith(NESTED_MARK) & values.isNull()


    def has_trailing_text() -> Column:
        """Whether the line holds more than an object: Spark would lose the rest silently.

        Such a line cannot be read as the only element of an array and as the value of a member both: what ends the one
        early does not end the other. That is tried where a brace closes before the last byte, or does not close there.
        """
        elements = "SIZE(FROM_JSON(CONCAT('[', value, ']'), 'ARRAY<STRUCT<ts: STRING>>'))"
        member = """FROM_JSON(CONCAT('{"row":', value, '}'), 'row STRUCT<ts: STRING>').row"""
        return F.expr(f"IF(closes_early, COALESCE({elements}, 0) <> 1 OR {member} IS NULL, FALSE)")


    def has_nested_text() -> Column:
        """Whether a column of text holds an object or an array, whose text could be anybody's.

        An object that is closed has its brace within the line; of a line in which one is not, Spark reads nothing.
        """
        may_nest = "closes_early OR CONTAINS(within, '[')"
        return F.expr(may_nest) & F.col("value").rlike(NESTED_TEXT)


    def is_not_utf8() -> Column:
        """Whether the line holds bytes that are not text: decoding replaces them."""
        return F.expr("ENCODE(value, 'UTF-8') <> BINARY(value)")
  `,
});
