/** The columns of the log by what they are called in a file: in another case, in snake case, or nearly. */
import { RAW_COLUMNS } from '../../domain/events.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { jsonText } from './json-text.ts';

/** sessionId in any case and in snake case. */
const SPELLINGS = Object.fromEntries(
  RAW_COLUMNS.map(({ name }) => [name, name.replaceAll(/[A-Z]/g, (letter) => `_?${letter}`).toLowerCase()]),
);
const TYPES = Object.fromEntries(RAW_COLUMNS.map(({ name, type }) => [name, type]));

export const columnSpelling = fragment({
  file: import.meta.url,
  needs: [jsonText],
  imports: ['import re'],
  constants: python`
    COLUMN_TYPES = ${TYPES}
    # Each column in any case and in snake case, as a pattern.
    SPELLINGS = ${SPELLINGS}
    NAMED_SPELLINGS = [f"(?P<{column}>{spelling})" for column, spelling in SPELLINGS.items()]
    SPELLING = re.compile("|".join(NAMED_SPELLINGS), re.I | re.A)
    # So many letters may be wrong in a name that is spelt nearly like a column's.
    NEAR = 2
    # What is written of a user id that became a double on its way: 41.0, and 1.2345678E7 as Java does.
    WHOLE_USER_ID = re.compile(r"-?(?:0|[1-9][0-9]*)\.0+|-?[1-9]\.[0-9]+[eE]\+?[0-9]{1,2}")
  `,
  code: python`
    def column_of(name: str) -> str | None:
        """The column that a name can only mean."""
        if name in COLUMN_TYPES:
            return name
        match = SPELLING.fullmatch(name)
        return None if match is None else match.lastgroup


    def nearest_column(name: str) -> str | None:
        """The column whose name differs from this one by signs, or by a few letters."""
        bare = re.sub(r"[^a-z0-9]", "", name.lower())
        for column in COLUMN_TYPES if 1 < len(name) <= LONGEST_NUMBER else []:
            known = column.lower()
            wrong = NEAR if len(known) > 5 else 1 if len(known) > 3 else 0
            if abs(len(bare) - len(known)) <= wrong and letters_wrong(bare, known) <= wrong:
                return column
        return None


    def letters_wrong(one: str, other: str) -> int:
        """Letters to be added, left out or replaced to make one of the other."""
        costs = list(range(len(other) + 1))
        for place, letter in enumerate(one, 1):
            row = [place]
            for index, known in enumerate(other, 1):
                row.append(min(costs[index] + 1, row[-1] + 1, costs[index - 1] + (letter != known)))
            costs = row
        return costs[-1]


    def whole_user_id(text: str) -> int | None:
        """The whole number that a user id in quotes stands for; None where it is an id as it is."""
        return whole_number(text) if WHOLE_USER_ID.fullmatch(text) else None
  `,
});
