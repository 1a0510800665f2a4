/** campaign.csv: whom to contact, for the people who do it. */
import { NOTHING_STANDS_OUT } from '../../domain/features/reason-words.ts';
import { CAMPAIGN_COLUMNS } from '../../domain/lake-objects.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { files } from './files.ts';
import { choiceTypes, planTypes, scoringTypes } from './types.ts';

export const campaign = fragment({
  file: import.meta.url,
  needs: [planTypes, choiceTypes, scoringTypes, files],
  imports: [
    'import itertools',
    'from collections.abc import Iterator',
    'from pyspark.sql import DataFrame, Row',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    CAMPAIGN_COLUMNS = ${CAMPAIGN_COLUMNS}
    # A spreadsheet takes a cell that begins like this for a formula, and would run it.
    FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
    QUOTED = {'"', ",", "\r", "\n"}
    NOTHING_STANDS_OUT = ${NOTHING_STANDS_OUT}
    LINES_AT_ONCE = 1_000
  `,
  code: python`
    def csv_cell(text: str) -> str:
        """One cell: what would be a formula is made text by an apostrophe."""
        safe = f"'{text}" if text.startswith(FORMULA_STARTS) else text
        if QUOTED.isdisjoint(safe):
            return safe
        doubled = safe.replace('"', '""')
        return f'"{doubled}"'


    def csv_line(cells: list[str]) -> str:
        """One line of a file."""
        return ",".join(csv_cell(cell) for cell in cells) + "\r\n"


    def campaign_line(row: Row) -> str:
        """One user of the list."""
        reasons = "; ".join(row.reasons or []) or NOTHING_STANDS_OUT
        return csv_line([row.user_id, f"{row.probability:.6f}", f"{row.value:.2f}", reasons, row.run_id])


    def write_campaign(
        files: Files, plan: Plan, choice: Choice, scores: DataFrame, value: str
    ) -> Campaign | None:
        """Writes the users outside the control group whose contact is worth it, the most probable first.

        None where nobody is in charge, where probabilities are withheld, and for scores that do not become current.
        """
        uri = plan["outputs"].get("campaign")
        if uri is None or choice["list"] != "yes" or not choice["makesCurrent"]:
            return None
        listed = scores.withColumn("value", F.expr(value)).where("value >= 0 AND NOT in_control_group")
        rows = listed.select("user_id", "probability", "value", "reasons", "run_id", "rank").orderBy("rank")
        users = 0

        def lines() -> Iterator[str]:
            nonlocal users
            yield csv_line(CAMPAIGN_COLUMNS)
            known = rows.toLocalIterator()
            while part := list(itertools.islice(known, LINES_AT_ONCE)):
                users += len(part)
                yield "".join(map(campaign_line, part))

        files.write_parts(uri, lines())
        return {"uri": uri, "users": users}
  `,
});
