/** Drafts of the ledger: with its draft, a batch that was published can be finished by any later ingest. */
import { DRAFT } from '../../domain/lake-objects.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { files } from './files.ts';
import { ledgerRows } from './ledger.ts';
import { quarantine } from './quarantine.ts';
import { repeatedEvents } from './repeated-events.ts';
import { staging } from './staging.ts';
import { ingestTypes, planTypes } from './types.ts';
import { userDays } from './user-days.ts';
import { versions } from './versions.ts';

export const drafts = fragment({
  file: import.meta.url,
  needs: [
    ...[planTypes, ingestTypes, files, ledgerRows, quarantine, repeatedEvents, staging, userDays],
    versions,
  ],
  imports: ['import json', 'from typing import TypedDict', 'from pyspark.sql import SparkSession'],
  constants: python`DRAFT = ${DRAFT.of('{}').key}`,
  code: python`
    class Draft(TypedDict):
        """What is left to do for a batch once its events are published."""

        batchId: str
        ledger: list[LedgerRow]
        changes: EventChanges
        # Whether it has staged copies of events.
        hasCopies: bool
        # Files of which the quarantine holds rows of a former version.
        formerlyRefused: list[str]


    def draft_uri(plan: Plan, batch_id: str) -> str:
        """Where the draft of a batch is."""
        return f"{plan['lakeRoot']}/{DRAFT.format(batch_id)}"


    def read_draft(files: Files, plan: Plan, batch_id: str) -> Draft | None:
        """The draft of a batch, if it came that far."""
        uri = draft_uri(plan, batch_id)
        if not files.exists(uri):
            return None
        draft: Draft = files.read_json(uri)
        return draft


    def finish_batch(spark: SparkSession, plan: Plan, files: Files, draft: Draft) -> int:
        """Brings what follows from the events up to date, and enters the batch in the ledger, last of all.

        Can be done again after a crash anywhere. Returns the days of user_days that were computed again.
        """
        batch_id = draft["batchId"]
        if draft["hasCopies"]:
            publish_copies(spark, plan, batch_id)
        forget_former_refusals(spark, plan, batch_id, draft["formerlyRefused"])
        recomputed = refresh_user_days(spark, plan)
        rows = "".join(json.dumps(row) + "\n" for row in draft["ledger"])
        files.write_text(ledger_uri(plan, batch_id), rows)
        return recomputed


    def finish_published(spark: SparkSession, plan: Plan, files: Files) -> tuple[list[str], int]:
        """Finishes the batches that were published and not entered in the ledger.

        Returns them, and the days of user_days that were computed again.
        """
        finished: list[str] = []
        recomputed = 0
        for batch_id in sorted({*plan["abandonedBatchIds"], plan["batch"]["batchId"]}):
            if files.exists(ledger_uri(plan, batch_id)):
                continue
            draft = read_draft(files, plan, batch_id)
            if draft is not None and is_published(spark, plan, batch_id):
                recomputed += finish_batch(spark, plan, files, draft)
                finished.append(batch_id)
        return finished, recomputed
  `,
});
