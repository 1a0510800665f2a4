/**
 * The second look at files in which rows were refused, or accepted without what another spelling may hold: where adapting
 * changes anything, the whole file is read again, tolerantly.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { cutObjects } from './cut-objects.ts';
import { eventRows } from './event-rows.ts';
import { forgottenUsers } from './forgotten-users.ts';
import { plainLines } from './plain-lines.ts';
import { planTypes } from './types.ts';

export const secondLook = fragment({
  file: import.meta.url,
  needs: [planTypes, eventRows, plainLines, cutObjects, forgottenUsers],
  imports: [
    'import collections',
    'from typing import NamedTuple',
    'from pyspark.sql import SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # An accepted row that lacks its session may have it under one of these names.
    INCOMPLETE_SPELLING = f'(?i)"({SPELLINGS["sessionId"]}|{SPELLINGS["itemInSession"]})"'
  `,
  code: python`
    class Outcomes(NamedTuple):
        """Rows read, by file, rows refused, by file and outcome, and the files with rows that lack their session."""

        read: collections.Counter[int]
        refused: dict[int, dict[int, int]]
        incomplete: set[int]

        @property
        def defects(self) -> int:
            """Rows that were refused for a defect of theirs."""
            return sum(
                count
                for of_file in self.refused.values()
                for outcome, count in of_file.items()
                if outcome != FORGOTTEN
            )

        @property
        def flagged(self) -> set[int]:
            """The files that are worth a second look."""
            defective = {number for number, of_file in self.refused.items() if of_file.keys() - {FORGOTTEN}}
            return defective | self.incomplete

        def take(self, counts: collections.Counter[int]) -> None:
            """Takes in the counts of one pass over some files, in place of those of an earlier one."""
            by_file: dict[int, collections.Counter[int]] = collections.defaultdict(collections.Counter)
            for code, rows in counts.items():
                number, outcome = divmod(code, OUTCOMES)
                by_file[number][outcome] += rows
            for number, outcomes in by_file.items():
                self.read[number] = outcomes.total()
                if outcomes[INCOMPLETE]:
                    self.incomplete.add(number)
                refused = {outcome: rows for outcome, rows in outcomes.items() if outcome not in (0, INCOMPLETE)}
                if refused:
                    self.refused[number] = refused
                else:
                    self.refused.pop(number, None)


    class Tolerated(NamedTuple):
        """The files that are read tolerantly, those of them that are cut into their objects, and what was adapted in each."""

        files: dict[int, str]
        cut: set[int]
        adapted: dict[int, collections.Counter[str]]


    def second_look(
        spark: SparkSession,
        plan: Plan,
        files: dict[int, str],
        outcomes: Outcomes,
        forgotten: ForgottenUsers | None,
    ) -> Tolerated:
        """Which of the files are to be read tolerantly."""
        flagged = {number: files[number] for number in sorted(outcomes.flagged)}
        if not flagged:
            return Tolerated({}, set(), {})
        malformed = {
            number: uri for number, uri in flagged.items() if MALFORMED in outcomes.refused.get(number, {})
        }
        sizes = {file["uri"]: file["bytes"] for file in plan["batch"]["files"]}
        cut = set() if plan["ingest"].get("strict", False) else files_to_cut(spark, malformed, sizes)
        by_line = {number: uri for number, uri in flagged.items() if number not in cut}
        changing = set()
        if by_line:
            rows = read_rows(spark, plan, by_line, forgotten, keep_line=True).where("is_utf8")
            worth = F.expr(f"outcome NOT IN (0, {FORGOTTEN})") | F.col("line").rlike(INCOMPLETE_SPELLING)
            changes = F.udf(changes_of, "INT")
            changed = rows.where(worth).where(changes("line") > 0).select("file_number").distinct()
            changing = {row.file_number for row in changed.collect()}
        tolerant = {number: uri for number, uri in flagged.items() if number in cut | changing}
        return Tolerated(tolerant, cut, {})


    def adaptations_of(bits: int) -> list[Adaptation]:
        """The adaptations in a set."""
        return [code for place, code in enumerate(ADAPTATIONS) if bits & 2**place]
  `,
});
