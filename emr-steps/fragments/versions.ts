/** Versions of files: which leave the lake with a batch, and what is the same in a file and in its former version. */
import { LEDGER } from '../../domain/lake-objects.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { files } from './files.ts';
import { ledgerRows } from './ledger.ts';
import { planTypes } from './types.ts';

export const versions = fragment({
  file: import.meta.url,
  needs: [planTypes, files, ledgerRows],
  imports: [
    'import datetime',
    'import json',
    'from collections.abc import Iterable',
    'from typing import TypeAlias',
    'from pyspark.sql import Row',
  ],
  constants: python`LEDGER = ${LEDGER.of('{}').key}`,
  code: python`
    # By UTC day: the number of events in a file, copies included, and a hash of them.
    Content: TypeAlias = dict[datetime.date, tuple[int, str]]


    def ledger_uri(plan: Plan, batch_id: str) -> str:
        """Where the ledger's rows of a batch are."""
        return f"{plan['lakeRoot']}/{LEDGER.format(batch_id)}"


    def read_ledger(files: Files, plan: Plan, batch_id: str) -> list[LedgerRow]:
        """The ledger's rows of a batch."""
        return [json.loads(line) for line in files.read_text(ledger_uri(plan, batch_id)).splitlines()]


    def contents(rows: Iterable[Row]) -> dict[str, Content]:
        """What each file holds, by its name."""
        found: dict[str, Content] = {}
        for row in rows:
            found.setdefault(row.source_file, {})[row.event_date] = (row["rows"], row["hash"])
        return found


    def content_text(content: Content) -> str:
        """The content of a file as the ledger keeps it."""
        return json.dumps({str(day): content[day] for day in sorted(content)})


    def content_of(row: LedgerRow) -> Content | None:
        """The content of a file in the ledger; None where it was ingested by a release that did not keep it."""
        text = row.get("days")
        if text is None:
            return None
        return {datetime.date.fromisoformat(day): (rows, hash) for day, (rows, hash) in json.loads(text).items()}


    def former_versions(files: Files, plan: Plan, finished: list[str]) -> dict[str, LedgerRow]:
        """The ledger's rows of the versions that leave: those of files that were replaced or are taken out.

        The plan does not know of batches that were finished only now: their versions of the batch's files leave, too.
        """
        batch = plan["batch"]
        named = [*batch.get("replaced", []), *batch.get("takenOut", [])]
        uris_by_batch: dict[str, set[str]] = {}
        for file in named:
            uris_by_batch.setdefault(file["batchId"], set()).add(file["uri"])
        own = {file["uri"] for file in batch["files"]}
        former: dict[str, LedgerRow] = {}
        for batch_id, uris in [*uris_by_batch.items(), *((batch_id, own) for batch_id in finished)]:
            former.update({row["uri"]: row for row in read_ledger(files, plan, batch_id) if row["uri"] in uris})
        return former
  `,
});
