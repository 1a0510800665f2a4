/** What is kept of a refused line: values from a list, and what was found in it. Nothing else leaves the raw log. */
import { RAW_COLUMNS } from '../../domain/events.ts';
import {
  type FindingCode,
  KEPT_COLUMNS,
  KEPT_VALUE_BYTES,
  SHOWN_WORD_ROWS,
  SHOWN_WORD_USERS,
  WORDS,
} from '../../domain/findings.ts';
import { fragment } from '../composition/fragment.ts';
import { Python, python } from '../composition/python.ts';
import { jsonText } from './json-text.ts';
import { columnSpelling } from './spelling.ts';

/** A code of a finding as a Python literal, checked by the compiler. */
const found = (code: FindingCode): Python => new Python(JSON.stringify(code));

/** Columns without which no row is accepted. */
const REQUIRED = RAW_COLUMNS.filter(({ optional }) => !optional).map(({ name }) => name);
const WORD_LISTS = Object.fromEntries(Object.entries(WORDS).map(([column, words]) => [column, [...words]]));

export const refusedLines = fragment({
  file: import.meta.url,
  needs: [jsonText, columnSpelling],
  imports: [
    'import functools',
    'import json',
    'import re',
    'from typing import NamedTuple',
    'from pyspark import StorageLevel',
    'from pyspark.sql import Column, DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    KEPT_COLUMNS = ${KEPT_COLUMNS}
    REQUIRED_COLUMNS = ${REQUIRED}
    WORDS: dict[str, list[str]] = ${WORD_LISTS}
    KEPT_VALUE_BYTES = ${KEPT_VALUE_BYTES}
    SHOWN_WORD_ROWS = ${SHOWN_WORD_ROWS}
    SHOWN_WORD_USERS = ${SHOWN_WORD_USERS}
    # A user id that cannot be a name: digits, perhaps behind one or two letters, or a UUID.
    NUMBERED = r"(?:[A-Za-z]{1,2}[-_]?)?[0-9][0-9_-]*"
    UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    ID_OF_NO_NAME = re.compile(f"{NUMBERED}|{UUID}")
    LONG = 2**63

    FOUND = "ARRAY<STRUCT<column: STRING, found: STRING, bytes: BIGINT, at: BIGINT, word: STRING>>"
    SEEN = f"STRUCT<kept: STRING, found: {FOUND}, user: STRING>"
  `,
  code: python`
    class Found(NamedTuple):
        """Something found in a refused line."""

        column: str
        found: str
        bytes: int | None = None
        at: int | None = None
        # Not to be shown unless many rows have it.
        word: str | None = None


    class Seen(NamedTuple):
        """What a refused line comes to: the values that are kept as JSON, what was found, and whose line it is."""

        kept: str
        found: list[Found]
        user: str | None


    def bytes_of(text: str) -> int:
        """Its length as it was written."""
        return len(text.encode("utf-8", "surrogatepass"))


    def unlike(column: str, value: object) -> str | None:
        """How a value differs from what its column holds; None if it does not, or is absent."""
        kind = COLUMN_TYPES[column]
        if value is None:
            return None
        if isinstance(value, bool):
            return ${found('boolean')} if kind != "string" or column == "userId" else None
        if isinstance(value, JsonObject):
            return ${found('object')}
        if isinstance(value, list):
            return ${found('array')}
        if isinstance(value, Constant):
            return ${found('not_a_number')}
        text = str(value)
        is_plain = PLAIN_DIGITS.fullmatch(text) is not None
        if isinstance(value, NumberText):
            if kind == "number" or (kind == "string" and (column != "userId" or is_plain)):
                return None
            if is_plain:
                return None if len(text) < KEPT_VALUE_BYTES and -LONG <= int(text) < LONG else ${found('too_large')}
            return unlike_whole(text)
        if kind == "string":
            return ${found('whole_fraction')} if column == "userId" and whole_user_id(text) is not None else None
        if text == "":
            return None
        if JSON_NUMBER.fullmatch(text) is None:
            return ${found('text')}
        return ${found('quoted_number')} if is_plain or kind == "number" else unlike_whole(text)


    def unlike_whole(text: str) -> str:
        """How a number that is not written with plain digits differs from a whole number."""
        if whole_number(text) is not None:
            return ${found('whole_fraction')}
        fraction = text.partition(".")[2]
        return ${found('lossy')} if "e" in text.lower() or not fraction.strip("0") else ${found('fraction')}


    def kept_value(column: str, value: object) -> object:
        """The value of a refused line that may be kept, or None."""
        text = str(value)
        if column not in KEPT_COLUMNS or value in (None, "") or bytes_of(text) > KEPT_VALUE_BYTES:
            return None
        if column == "userId":
            return text if ID_OF_NO_NAME.fullmatch(text) else None
        if column in WORDS:
            return text if text in WORDS[column] else None
        return int(text)


    def seen_in_object(fields: JsonObject) -> Seen:
        """What is kept of an object and what was found in it."""
        kept: dict[str, object] = {}
        found: list[Found] = []
        spelt: dict[str, tuple[str, object]] = {}
        for name, value in fields:
            column = column_of(name)
            if column is None:
                nearest = nearest_column(name)
                code = ${found('unknown_column')} if nearest is None else ${found('nearly')}
                found.append(Found(nearest or "", code, bytes_of(name), word=name))
                continue
            if column in spelt:
                if spelt[column] != (name, value):
                    found.append(Found(column, ${found('two_spellings')}))
                continue
            spelt[column] = (name, value)
            if name != column:
                found.append(Found(column, ${found('other_case')}, word=name))
            difference = unlike(column, value)
            if difference is not None:
                written = None if isinstance(value, (JsonObject, list)) else bytes_of(str(value))
                found.append(Found(column, difference, written))
            elif column in WORDS and value not in (None, "") and str(value) not in WORDS[column]:
                found.append(Found(column, ${found('unknown_word')}, bytes_of(str(value)), word=str(value)))
            else:
                safe = kept_value(column, value)
                if safe is not None:
                    kept[column] = safe
        present = {column_of(name) for name, value in fields if value not in (None, "")}
        found += [Found(column, ${found('absent')}) for column in REQUIRED_COLUMNS if column not in present]
        ordered = {column: kept[column] for column in KEPT_COLUMNS if column in kept}
        # A user has many sessions: they tell users apart only where there is no other sign of them.
        signs = {column_of(name): str(value) for name, value in fields if value not in (None, "")}
        return Seen(json.dumps(ordered), found, signs.get("userId", signs.get("sessionId")))


    def seen_in_line(line: str, is_utf8: bool) -> Seen:
        """What is kept of a refused line: of one that is no JSON object only its length, and where reading it ended."""
        text = line.strip(" \t\r\n")
        size = bytes_of(line)
        if "\0" in text:
            return Seen("{}", [Found("", ${found('utf16')}, size)], None)
        if not is_utf8:
            return Seen("{}", [Found("", ${found('not_utf8')}, size)], None)
        try:
            value, end = json_decoder(Constant).raw_decode(text)
        except json.JSONDecodeError as error:
            code = ${found('line_array')} if text.startswith("[") else ${found('not_json')}
            code = ${found('single_quotes')} if text.startswith("{'") else code
            return Seen("{}", [Found("", code, size, error.pos)], None)
        except (ValueError, RecursionError):
            return Seen("{}", [Found("", ${found('not_json')}, size)], None)
        if end < len(text):
            return Seen("{}", [Found("", ${found('more_than_one')}, size, end)], None)
        if isinstance(value, JsonObject):
            seen = seen_in_object(value)
            is_json = not any(one.found == ${found('not_a_number')} for one in seen.found)
            # Nothing is kept of a line that is no JSON.
            return seen if is_json else Seen("{}", seen.found, seen.user)
        code = ${found('line_array')} if isinstance(value, list) else ${found('no_object')}
        return Seen("{}", [Found("", code, size)], None)


    def kept_lines(refused: DataFrame) -> DataFrame:
        """The rows with what is kept of each line in its place; takes "line" and "is_utf8"."""
        see = F.udf(seen_in_line, SEEN)
        seen = refused.withColumn("seen", see("line", "is_utf8")).drop("line", "is_utf8")
        # The words are counted before they are written, or not.
        seen.persist(StorageLevel.MEMORY_AND_DISK)
        words = seen.select(F.col("seen.user").alias("user"), F.explode("seen.found").alias("found"))
        counted = words.where("found.word IS NOT NULL").groupBy("found.column", "found.found", "found.word")
        spread = counted.agg(F.count("*").alias("rows"), F.countDistinct("user").alias("users"))
        shown = spread.where(f"rows >= {SHOWN_WORD_ROWS} AND users >= {SHOWN_WORD_USERS}")
        known = [F.lit("\n".join(row)) for row in shown.select("column", "found", "word").collect()]
        is_shown = functools.partial(is_among, known)

        def without_rare(found: Column) -> Column:
            word = F.when(is_shown(found), found["word"]).alias("word")
            return F.struct(*[found[field] for field in ("column", "found", "bytes", "at")], word)

        found = F.to_json(F.transform("seen.found", without_rare))
        line = F.concat(F.lit('{"kept":'), "seen.kept", F.lit(',"found":'), found, F.lit("}"))
        return seen.withColumn("line", line)


    def is_among(known: list[Column], found: Column) -> Column:
        """Whether what was found is one of the words that are shown."""
        if not known:
            return F.lit(False)
        sought = F.concat_ws("\n", found["column"], found["found"], found["word"])
        return F.array_contains(F.array(*known), sought)
  `,
});
