/** Scores as text for people, and as CSV for programs and spreadsheets. Pure functions. */
import type { AnswerRow } from '../../../lambda/ports/sql.ts';

const COLUMNS = ['rank', 'decile', 'user_id', 'probability', 'level', 'in_control_group'] as const;
/** What a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** A table; says so when nobody is ranked. */
export function scoresText(runId: string, rows: readonly AnswerRow[]): string {
  if (rows.every(({ rank }) => rank == null)) {
    return `No model is in charge of the scores of run ${runId}: every user has the base rate, and nobody ranks first.\n`;
  }
  const cells = [
    ['rank', 'decile', 'user', 'probability', 'level', 'control group'],
    ...rows.map((row) => COLUMNS.map((name) => cellText(name, row[name] ?? null))),
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

function cellText(name: (typeof COLUMNS)[number], value: string | null): string {
  if (value === null) return name === 'probability' ? 'withheld' : '';
  if (name === 'probability') return `${(100 * Number(value)).toFixed(1)}%`;
  if (name === 'in_control_group') return value === 'true' ? 'do not contact' : '';
  // Control characters of a hostile id must not reach the terminal.
  return value.replaceAll(/\p{Cc}/gu, '?');
}

/** All columns, with a header; a cell that a spreadsheet would run is made text. */
export function csvText(rows: readonly AnswerRow[]): string {
  const [first] = rows;
  const columns = first === undefined ? [...COLUMNS] : Object.keys(first);
  const line = (cells: readonly string[]): string => `${cells.join(',')}\r\n`;
  return [columns, ...rows.map((row) => columns.map((name) => csvCell(row[name] ?? '')))].map(line).join('');
}

function csvCell(value: string): string {
  const safe = FORMULA.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
