/** Compares the SQL engine's counts with those that the steps took. Pure functions. */
import { type ExpectedCount, RECONCILE_COLUMNS } from '../../domain/reconcile.ts';
import type { RunDetail } from '../../domain/records.ts';
import type { EventChanges, RowCounts } from '../../domain/results.ts';
import { PipelineError } from '../run/errors.ts';

type Reconciliation = RunDetail['reconciliation'];
type Row = Readonly<Record<string, string | null>>;

/**
 * The counted and the expected rows of each table.
 * @throws ReconciliationFailed when any two differ, or when rows that were read or events of the lake are not accounted for
 */
export function reconcile(
  answer: readonly Row[],
  expectedCounts: readonly ExpectedCount[],
  counts: RowCounts,
  changes?: EventChanges | null,
): Reconciliation {
  const counted = new Map(answer.map((row) => [row[RECONCILE_COLUMNS.table], row[RECONCILE_COLUMNS.rows]]));
  const reconciliation: Reconciliation = [];
  const complaints = [...unaccountedRows(counts), ...unaccountedEvents(counts, changes)];
  for (const { table, expected } of expectedCounts) {
    const text = counted.get(table);
    if (text === undefined || text === null || !/^\d+$/.test(text)) {
      complaints.push(`${table}: the query's answer has no count of it`);
    } else if (Number(text) !== expected) {
      complaints.push(`${table}: ${text} rows were counted, ${expected} were expected`);
    } else {
      reconciliation.push({ table, counted: Number(text), expected });
    }
  }
  if (complaints.length > 0) throw reconciliationFailed(complaints);
  return reconciliation;
}

function unaccountedRows({ read, accepted, quarantined, duplicates }: RowCounts): string[] {
  const accounted = accepted + quarantined + duplicates;
  if (accounted === read) return [];
  return [
    `ingest: ${read} rows were read, but ${accounted} accounted for (${accepted} accepted, ` +
      `${quarantined} quarantined, ${duplicates} duplicates)`,
  ];
}

function unaccountedEvents({ accepted }: RowCounts, changes: EventChanges | null | undefined): string[] {
  if (changes === null || changes === undefined) return [];
  const { before, takenAway, returned, after } = changes;
  const accounted = before - takenAway + accepted + returned;
  if (accounted === after) return [];
  return [
    `events: the lake holds ${after} after the batch, but ${before} before it - ${takenAway} taken away + ` +
      `${accepted} accepted + ${returned} returned are ${accounted}`,
  ];
}

function reconciliationFailed(complaints: readonly string[]): PipelineError {
  return new PipelineError(
    'ReconciliationFailed',
    `The lake does not hold the rows that the steps counted:\n${complaints.map((line) => `- ${line}`).join('\n')}\n` +
      "The run's scores and model did not become current. Compare the tables' snapshots with those in the run's results.",
  );
}
