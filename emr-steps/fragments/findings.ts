/** What was found in refused rows, in words for the operator. */
import { RAW_COLUMNS } from '../../domain/events.ts';
import { expectedValue, FINDING_KINDS } from '../../domain/findings.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { ingestTypes } from './types.ts';

const SAYS = Object.fromEntries(FINDING_KINDS.map(({ code, says }) => [code, says]));
const CHANGES = Object.fromEntries(FINDING_KINDS.map(({ code, change }) => [code, change]));
const EXPECTED = Object.fromEntries(
  ['', ...RAW_COLUMNS.map(({ name }) => name)].map((name) => [name, expectedValue(name)]),
);

export const findings = fragment({
  file: import.meta.url,
  needs: [ingestTypes],
  constants: python`
    FINDINGS: dict[str, str] = ${SAYS}
    CHANGES: dict[str, str] = ${CHANGES}
    EXPECTED: dict[str, str] = ${EXPECTED}
    UNKNOWN_COLUMN = ${'unknown_column' satisfies (typeof FINDING_KINDS)[number]['code']}
  `,
  code: python`
    def finding_lines(findings: list[Finding]) -> list[str]:
        """Each finding once, whatever the rows were refused for: what, how many, and what to change."""
        counts: dict[tuple[str, str], dict[str | None, tuple[int, int]]] = {}
        for one in findings:
            words = counts.setdefault((one["column"], one["found"]), {})
            rows, files = words.get(one["word"], (0, 0))
            words[one["word"]] = (rows + one["rows"], max(files, one["files"]))
        lines: list[str] = []
        for (column, found), words in counts.items():
            subject = column or ("a name" if found == UNKNOWN_COLUMN else "the line")
            listed = ", ".join(
                f"{amount(rows, 'row')} in {amount(files, 'file')}"
                if word is None and len(words) == 1
                else f"{'others' if word is None else word} ({amount(rows, 'row')} in {amount(files, 'file')})"
                for word, (rows, files) in words.items()
            )
            change = CHANGES[found].format(column=column, expected=EXPECTED[column])
            lines.append(f"{subject} is {FINDINGS[found]}: {listed}; {change}")
        return lines


    def amount(number: int, thing: str) -> str:
        """So many things."""
        return f"{number:,} {thing}{'' if number == 1 else 's'}"
  `,
});
