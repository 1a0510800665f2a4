/**
 * The query by which an SQL engine counts the lake's tables, independently of Spark, and the counts of the steps that
 * its answer is compared with. The query uses only the SQL that Athena and DuckDB share.
 */
import { FEATURES_TABLE, SCORING_FEATURES_TABLE } from './features/features-table.ts';
import {
  EVENTS,
  INGEST_FILES,
  PAGE_DAYS,
  QUARANTINE_RETENTION_DAYS,
  QUARANTINED_EVENTS,
  SCORES,
} from './lake.ts';
import type { FeaturesResult, IngestResult, ScoringResult } from './results.ts';
import type { RunPlan } from './run.ts';

/** What a placeholder stands for. */
export type ReconcileValue = 'batchId' | 'runId';

interface Count {
  readonly name: string;
  readonly select: string;
  readonly from: string;
  /** Column and value that select this run's rows; absent where the whole table is this run's. */
  readonly where?: { readonly column: string; readonly value: ReconcileValue };
}

const LEDGER_COUNTS = ['rows_read', 'rows_accepted', 'rows_quarantined', 'rows_duplicate'] as const;
const OF_BATCH = { column: 'batch_id', value: 'batchId' } as const;

/** The events of all batches. */
const ALL_EVENTS = `${EVENTS.name}.all`;

const COUNTS: readonly Count[] = [
  { name: EVENTS.name, select: 'count(*)', from: EVENTS.name, where: OF_BATCH },
  { name: ALL_EVENTS, select: 'count(*)', from: EVENTS.name },
  { name: PAGE_DAYS.name, select: 'coalesce(sum(events), 0)', from: PAGE_DAYS.name },
  { name: QUARANTINED_EVENTS.name, select: 'count(*)', from: QUARANTINED_EVENTS.name, where: OF_BATCH },
  ...LEDGER_COUNTS.map((column) => ({
    name: ledgerCount(column),
    select: `coalesce(sum(${column}), 0)`,
    from: INGEST_FILES.name,
    where: OF_BATCH,
  })),
  // Of both, BuildFeatures counts all rows.
  { name: FEATURES_TABLE.name, select: 'count(*)', from: FEATURES_TABLE.name },
  { name: SCORING_FEATURES_TABLE.name, select: 'count(*)', from: SCORING_FEATURES_TABLE.name },
  { name: SCORES.name, select: 'count(*)', from: SCORES.name, where: { column: 'run_id', value: 'runId' } },
];

/** Columns of the answer: what was counted, and its number of rows. */
export const RECONCILE_COLUMNS = { table: 'table_name', rows: 'row_count' } as const;

/** What each `{}` of the query stands for, in order: the arguments of States.Format. */
export const RECONCILE_VALUES: readonly ReconcileValue[] = COUNTS.flatMap((count) =>
  count.where === undefined ? [] : [count.where.value],
);

/** The query as a template for States.Format: each `{}` takes the next of RECONCILE_VALUES. */
export function reconcileQuery(): string {
  return COUNTS.map(({ name, select, from, where }, index) => {
    const columns =
      index === 0
        ? `'${name}' AS ${RECONCILE_COLUMNS.table}, ${select} AS ${RECONCILE_COLUMNS.rows}`
        : `'${name}', ${select}`;
    const rows = where === undefined ? from : `${from} WHERE ${where.column} = '{}'`;
    return `SELECT ${columns} FROM ${rows}`;
  }).join('\nUNION ALL\n');
}

/** A count that a step took, under the name of its row in the query's answer. */
export interface ExpectedCount {
  readonly table: string;
  readonly expected: number;
}

/**
 * The counts that the steps took. Quarantined rows are left out once their batch is old enough
 * for retention to have removed them.
 */
export function expectedCounts(
  plan: Pick<RunPlan, 'batch' | 'plannedAt'>,
  ingest: IngestResult,
  features: FeaturesResult,
  scoring: ScoringResult,
): readonly ExpectedCount[] {
  const { counts, held, lake } = ingest;
  const ageDays = (Date.parse(plan.plannedAt) - Date.parse(plan.batch.ingestDate)) / 86_400_000;
  return [
    { table: EVENTS.name, expected: held.events },
    // Every event is counted in page_days.
    ...(lake === undefined
      ? []
      : [ALL_EVENTS, PAGE_DAYS.name].map((table) => ({ table, expected: lake.events }))),
    ...(ageDays < QUARANTINE_RETENTION_DAYS
      ? [{ table: QUARANTINED_EVENTS.name, expected: held.quarantined }]
      : []),
    { table: ledgerCount('rows_read'), expected: counts.read },
    { table: ledgerCount('rows_accepted'), expected: counts.accepted },
    { table: ledgerCount('rows_quarantined'), expected: counts.quarantined },
    { table: ledgerCount('rows_duplicate'), expected: counts.duplicates },
    ...featureCounts(features),
    { table: SCORES.name, expected: scoring.users },
  ];
}

function featureCounts({ cutoffs, tableRows }: FeaturesResult): readonly ExpectedCount[] {
  const rows = (ofScoring: boolean): number =>
    cutoffs
      .filter(({ role }) => (role === 'score') === ofScoring)
      .reduce((sum, cutoff) => sum + cutoff.rows, 0);
  return [
    { table: FEATURES_TABLE.name, expected: tableRows ?? rows(false) },
    { table: SCORING_FEATURES_TABLE.name, expected: rows(true) },
  ];
}

function ledgerCount(column: (typeof LEDGER_COUNTS)[number]): string {
  return `${INGEST_FILES.name}.${column}`;
}
