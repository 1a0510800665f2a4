/** The ledger's rows, and the checks that a batch must pass before it is published. */
import { INGEST_FILES } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { findings } from './findings.ts';
import { plainLines } from './plain-lines.ts';
import { quarantine } from './quarantine.ts';
import { stepError } from './step-error.ts';
import { rowType } from './tables.ts';
import { ingestTypes, planTypes } from './types.ts';

/** Columns that former releases did not write. */
const LATER = ['rows_taken_away', 'first_day', 'last_day', 'days', 'taken_out'];

export const ledgerRows = fragment({
  file: import.meta.url,
  imports: ['from typing import NotRequired, TypedDict'],
  code: rowType('LedgerRow', INGEST_FILES, LATER),
});

export const adaptedRows = fragment({
  file: import.meta.url,
  needs: [ingestTypes, plainLines, ledgerRows],
  imports: ['import json'],
  code: python`
    def adapted_rows(ledger: list[LedgerRow]) -> Adapted:
        """The rows of a batch that were adapted, and the files they came in, by adaptation."""
        by_file = [json.loads(row.get("adapted") or "{}") for row in ledger]
        held: list[AdaptedRows] = [
            {
                "adaptation": code,
                "rows": sum(of_file.get(code, 0) for of_file in by_file),
                "files": sum(code in of_file for of_file in by_file),
            }
            for code in ADAPTATIONS
        ]
        return {
            "rows": sum(row.get("rows_adapted") or 0 for row in ledger),
            "files": sum(1 for of_file in by_file if of_file),
            "by": [one for one in held if one["rows"] > 0],
        }
  `,
});

export const batchChecks = fragment({
  file: import.meta.url,
  needs: [planTypes, ingestTypes, stepError, findings, quarantine, ledgerRows],
  imports: ['from pyspark.sql import SparkSession'],
  code: python`
    def check_refused_share(spark: SparkSession, plan: Plan, refused: int, read: int) -> None:
        """Fails a run most of whose log is not as it should be, before it costs more."""
        limit = plan["ingest"]["maxQuarantineShare"]
        if refused <= limit * read:
            return
        reasons, examples, _, findings = quarantined(spark, plan)
        listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
        found = [f"- {line}" for line in finding_lines(findings)]
        shown = [f"{example['reason']} in {example['file']}: {example['line']}" for example in examples]
        details = "\n".join([*found, *shown])
        raise StepError(
            f"{refused:,} of {read:,} rows were refused, more than the {limit:.1%} allowed: {listed}\n{details}",
            "the exporter of the log has changed, or the files are not event files",
            f"correct the files, or allow a larger maxQuarantineShare; all refused rows are in the table {QUARANTINE}",
        )


    def taken_out_row(uri: str, batch_id: str, taken_away: int) -> LedgerRow:
        """The ledger's row of a file that was taken out of the lake."""
        return {
            "uri": uri,
            "etag": "",
            "bytes": 0,
            "batch_id": batch_id,
            "rows_read": 0,
            "rows_accepted": 0,
            "rows_quarantined": 0,
            "rows_duplicate": 0,
            "rows_adapted": 0,
            "adapted": "{}",
            "passed_over": "",
            "rows_taken_away": taken_away,
            "first_day": None,
            "last_day": None,
            "days": None,
            "taken_out": True,
        }


    def check_changes(ledger: list[LedgerRow], changes: EventChanges) -> None:
        """The events after the batch must be those before it, without those taken away, with those accepted and returned."""
        accepted = sum(file["rows_accepted"] for file in ledger)
        expected = changes["before"] - changes["takenAway"] + accepted + changes["returned"]
        if changes["after"] != expected:
            raise StepError(
                f"{changes['after']:,} events would be in the lake, but {changes['before']:,} before - "
                f"{changes['takenAway']:,} taken away + {accepted:,} accepted + {changes['returned']:,} returned "
                f"are {expected:,}",
                "a stage of the job was run twice, or the tables were changed by another program meanwhile",
                "resume the run: nothing was published, and the batch is ingested again",
            )


    def check_accounts(ledger: list[LedgerRow], quarantined_rows: int) -> None:
        """Every row read must be accepted, refused or a duplicate: four counts, each taken separately."""
        for file in ledger:
            parts = file["rows_accepted"] + file["rows_quarantined"] + file["rows_duplicate"]
            if file["rows_read"] != parts:
                raise StepError(
                    f"{file['uri']}: {file['rows_read']:,} rows were read, but "
                    f"{file['rows_accepted']:,} accepted, "
                    f"{file['rows_quarantined']:,} refused and {file['rows_duplicate']:,} duplicates",
                    "a stage of the job was run twice, or the file changed while it was read",
                    "resume the run: nothing was published, and the batch is ingested again",
                )
        refused = sum(file["rows_quarantined"] for file in ledger)
        if refused != quarantined_rows:
            raise StepError(
                f"{refused:,} rows were refused, but the quarantine holds {quarantined_rows:,} of this batch",
                "a file changed between its two readings",
                "resume the run: nothing was published, and the batch is ingested again",
            )
  `,
});
