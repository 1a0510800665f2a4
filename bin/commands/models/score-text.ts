/** Scores as text for people, and as CSV for programs and spreadsheets. Pure functions. */
import { csvFile } from '../../../domain/csv.ts';
import { NOTHING_STANDS_OUT, type Reason, reasonsSchema } from '../../../domain/features/reason-words.ts';
import type { AnswerRow } from '../../../lambda/ports/sql.ts';

const COLUMNS = ['rank', 'decile', 'user_id', 'probability', 'level', 'in_control_group', 'reasons'] as const;
const CSV_COLUMNS = [
  ...['user_id', 'rank', 'decile', 'probability', 'level'],
  ...['in_control_group', 'reasons', 'cutoff', 'run_id'],
] as const;

/** A table; says so when nobody is ranked. */
export function scoresText(runId: string, rows: readonly AnswerRow[]): string {
  if (rows.every(({ rank }) => rank == null)) {
    return `No model is in charge of the scores of run ${runId}: every user has the base rate, and nobody ranks first.\n`;
  }
  const cells = [
    ['rank', 'decile', 'user', 'probability', 'level', 'control group', 'what raises the score'],
    ...rows.map((row) =>
      COLUMNS.map((name) => (name === 'reasons' ? reasonsCell(row) : cellText(name, row[name] ?? null))),
    ),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const table = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `Scores of run ${runId}\n${table.join('\n')}\n`;
}

/** Of a user of whom it was not asked, nothing. */
function reasonsCell(row: AnswerRow): string {
  const reasons = reasonsOf(row);
  if (reasons === null) return '';
  return reasons.length === 0 ? NOTHING_STANDS_OUT : reasons.map(({ text }) => text).join('; ');
}

/** The reasons of a row of `scores`; null when it was not asked for them, or by an older version. */
export function reasonsOf({ reason_details: details = null }: AnswerRow): readonly Reason[] | null {
  return details === null ? null : reasonsSchema.parse(JSON.parse(details));
}

/** One JSON document. */
export function scoresJson(runId: string, rows: readonly AnswerRow[]): string {
  return `${JSON.stringify({ runId, users: rows.map(scoreOf) }, undefined, 2)}\n`;
}

/** A user's score as programs read it. */
export function scoreOf(row: AnswerRow) {
  const number = (name: string): number | null => (row[name] == null ? null : Number(row[name]));
  return {
    userId: row.user_id ?? '',
    rank: number('rank'),
    decile: number('decile'),
    /** Null when it is withheld. */
    probability: number('probability'),
    level: row.level ?? null,
    inControlGroup: row.in_control_group === 'true',
    /** Null when it was not asked for them. */
    reasons: reasonsOf(row),
  };
}

function cellText(name: (typeof COLUMNS)[number], value: string | null): string {
  if (value === null) return name === 'probability' ? 'withheld' : '';
  if (name === 'probability') return `${(100 * Number(value)).toFixed(1)}%`;
  if (name === 'in_control_group') return value === 'true' ? 'do not contact' : '';
  // Control characters of a hostile id must not reach the terminal.
  return value.replaceAll(/\p{Cc}/gu, '?');
}

/** With a header; a cell that a spreadsheet would run is made text. */
export function csvText(rows: readonly AnswerRow[]): string {
  return csvFile([
    CSV_COLUMNS,
    ...rows.map((row) =>
      CSV_COLUMNS.map((name) => (name === 'reasons' ? reasonsCell(row) : (row[name] ?? ''))),
    ),
  ]);
}
