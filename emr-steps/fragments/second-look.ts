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
    # An accepted row that lacks a value may have it under one of these names: not quite ours.
    OTHER_SPELLING = f'"(?!(?:{"|".join(SPELLINGS)})")(?i:{"|".join(SPELLINGS.values())})"'
  `,
  code: python`
    class Outcomes(NamedTuple):
        """Rows read, by file, rows refused, by file and outcome, and the files with rows that lack what every row has."""

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
        def defective(self) -> set[int]:
            """The files with rows that were refused for a defect of theirs."""
            return {number for number, of_file in self.refused.items() if of_file.keys() - {FORGOTTEN}}

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
        other_spelling: set[int],
        forgotten: ForgottenUsers | None,
    ) -> Tolerated:
        """Which of the files are to be read tolerantly: always those that Spark does not unpack."""
        packed = {number for number, uri in files.items() if is_packed_in_capitals(uri)}
        defective = {number: files[number] for number in sorted(outcomes.defective)}
        malformed = {
            number: uri for number, uri in defective.items() if MALFORMED in outcomes.refused.get(number, {})
        }
        sizes = {file["uri"]: file["bytes"] for file in plan["batch"]["files"]}
        cut = set() if plan["ingest"].get("strict", False) else files_to_cut(spark, malformed, sizes)
        changing: set[int] = set()
        changes = F.udf(changes_of, "INT")
        by_line = {number: uri for number, uri in defective.items() if number not in cut}
        if by_line:
            rows = read_rows(spark, plan, by_line, forgotten, keep_line=True).where("is_utf8")
            worth = F.expr(f"outcome NOT IN (0, {FORGOTTEN})") | F.col("line").rlike(OTHER_SPELLING)
            changed = rows.where(worth).where(changes("line") > 0).select("file_number").distinct()
            changing = {row.file_number for row in changed.collect()}
        incomplete = {number: files[number] for number in sorted(outcomes.incomplete - defective.keys())}
        if incomplete:
            lines = text_lines(spark, incomplete).withColumn("file_path", F.input_file_name())
            changed = lines.where(F.col("value").rlike(OTHER_SPELLING)).where(changes("value") > 0)
            paths = {row.file_path for row in changed.select("file_path").distinct().collect()}
            changing |= {number for number, uri in incomplete.items() if path_of_rows(spark, uri) in paths}
        tolerant = cut | changing | other_spelling | packed
        return Tolerated({number: files[number] for number in sorted(tolerant)}, cut, {})


    def adaptations_of(bits: int) -> list[Adaptation]:
        """The adaptations in a set."""
        return [code for place, code in enumerate(ADAPTATIONS) if bits & 2**place]
  `,
});
