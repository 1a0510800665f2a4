/** A line in its plain form: values that can only mean one thing are written as that, under the names of our columns. */
import { ADAPTATIONS, type AdaptationCode } from '../../domain/adaptations.ts';
import { fragment } from '../composition/fragment.ts';
import { Python, python } from '../composition/python.ts';
import { jsonText } from './json-text.ts';
import { READ_COLUMNS } from './raw-columns.ts';
import { columnSpelling } from './spelling.ts';
import { ingestTypes } from './types.ts';

/** Place of an adaptation in a row's set of them, as a bit. */
const bit = (code: AdaptationCode): Python =>
  new Python(String(2 ** ADAPTATIONS.findIndex((adaptation) => adaptation.code === code)));

export const plainLines = fragment({
  file: import.meta.url,
  needs: [ingestTypes, jsonText, columnSpelling],
  imports: ['import json', 'from typing import NamedTuple'],
  constants: python`
    PLAIN_COLUMNS = ${READ_COLUMNS}
    # The adaptations of a row are a set of bits.
    ADAPTATIONS: list[Adaptation] = ${ADAPTATIONS.map(({ code }) => code)}
    WHOLE_FRACTION = ${bit('whole_fraction')}
    QUOTED_NUMBER = ${bit('quoted_number')}
    OTHER_CASE = ${bit('other_case')}
    CUT_OUT = ${bit('cut_out')}
    # All that are counted, and an empty text where a number belongs, which is an absent value and is not.
    COUNTED = 2 ** len(ADAPTATIONS)
    EMPTY_TEXT = COUNTED
    ABSENT = "null"
    PLAIN_LINE = "STRUCT<line: STRING, changes: INT, is_ambiguous: BOOLEAN>"
  `,
  code: python`
    class PlainLine(NamedTuple):
        """A line in its plain form (None where it is no object), what was adapted, and whether it means two things."""

        line: str | None
        changes: int
        is_ambiguous: bool


    def plain_value(column: str, value: object) -> tuple[str, int]:
        """A value as our reader takes it, as JSON, and how it was adapted. What means nothing else stays as it is."""
        if value is None:
            return ABSENT, 0
        if isinstance(value, bool):
            return json.dumps(value), 0
        if isinstance(value, JsonObject):
            return "{}", 0
        if isinstance(value, list):
            return "[]", 0
        text, kind = str(value), COLUMN_TYPES[column]
        if isinstance(value, NumberText):
            is_whole = kind == "integer" or column == "userId"
            whole = None if not is_whole or PLAIN_DIGITS.fullmatch(text) else whole_number(text)
            return (text, 0) if whole is None else (str(whole), WHOLE_FRACTION)
        if kind == "string":
            whole = whole_user_id(text) if column == "userId" else None
            return (json.dumps(text), 0) if whole is None else (json.dumps(str(whole)), WHOLE_FRACTION)
        if text == "":
            return ABSENT, EMPTY_TEXT
        if JSON_NUMBER.fullmatch(text) is not None:
            if kind == "number" or PLAIN_DIGITS.fullmatch(text):
                return text, QUOTED_NUMBER
            whole = whole_number(text)
            if whole is not None:
                return str(whole), WHOLE_FRACTION
        return json.dumps(text), 0


    def plain_line(line: str) -> PlainLine:
        """The plain form of a line: the columns that are read, in the order in which they are written."""
        try:
            fields = json_decoder().decode(line)
        except (ValueError, RecursionError):
            return PlainLine(None, 0, False)
        if not isinstance(fields, JsonObject):
            return PlainLine(None, 0, False)
        written: list[str] = []
        spelt: dict[str, tuple[str, str]] = {}
        changes = 0
        for name, value in fields:
            column = column_of(name)
            if column is None:
                continue
            text, change = plain_value(column, value)
            spelling, known = spelt.get(column, (name, ABSENT))
            if ABSENT not in (known, text) and (spelling, known) != (name, text):
                return PlainLine(None, OTHER_CASE, True)
            changes |= change | (OTHER_CASE if name != column else 0)
            if column in spelt and text == ABSENT:
                continue
            spelt[column] = (name, text)
            if column in PLAIN_COLUMNS:
                written.append(f'"{column}":{text}')
        return PlainLine("{" + ",".join(written) + "}", changes, False)


    def changes_of(line: str) -> int:
        """What would be adapted in a line."""
        return plain_line(line).changes
  `,
});
