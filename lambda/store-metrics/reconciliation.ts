/** Holding the SQL engine's counts against those that the steps took themselves. Pure functions. */
import { type ExpectedCount, RECONCILE_COLUMNS } from '../../domain/reconcile.ts';
import type { RunDetail } from '../../domain/records.ts';
import type { RowCounts } from '../../domain/results.ts';
import { PipelineError } from '../run/errors.ts';

type Reconciliation = RunDetail['reconciliation'];
type Row = Readonly<Record<string, string | null>>;

/**
 * Table by table, what was counted and what was expected.
 * @throws ReconciliationFailed when any two differ, or the rows read are not accounted for
 */
export function reconcile(
  answer: readonly Row[],
  expectedCounts: readonly ExpectedCount[],
  counts: RowCounts,
): Reconciliation {
  const counted = new Map(answer.map((row) => [row[RECONCILE_COLUMNS.table], row[RECONCILE_COLUMNS.rows]]));
  const reconciliation: Reconciliation = [];
  const complaints = unaccountedRows(counts);
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

function reconciliationFailed(complaints: readonly string[]): PipelineError {
  return new PipelineError(
    'ReconciliationFailed',
    `The lake does not hold what the steps counted:\n${complaints.map((line) => `- ${line}`).join('\n')}\n` +
      "Nothing of this run was made current. Compare the tables' snapshots with those in the run's results.",
  );
}
