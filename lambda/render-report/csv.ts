/** The list as comma-separated values. */
import type { ListedUser } from './client/page-data.ts';

/** @param value of contacting a user */
export function csvOf(
  users: readonly ListedUser[],
  value: (user: ListedUser) => number,
  runId: string,
): string {
  const rows = users.map((user) => [
    user.id,
    user.probability.toFixed(6),
    value(user).toFixed(2),
    user.level,
    user.reasons,
    runId,
  ]);
  return [['user_id', 'probability', 'value', 'level', 'reasons', 'run_id'], ...rows]
    .map((row) => `${row.map(csvCell).join(',')}\r\n`)
    .join('');
}

/** A spreadsheet takes a cell that begins like this for a formula, and would run it: it is made text. */
const FORMULA = /^[=+\-@\t\r]/;
const IS_NUMBER = /^-?\d+(\.\d+)?$/;

/** One cell. */
export function csvCell(text: string): string {
  const safe = FORMULA.test(text) && !IS_NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
