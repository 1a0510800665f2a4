/** The list as comma-separated values. */
import { csvFile } from '../../domain/csv.ts';
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
  return csvFile([['user_id', 'probability', 'value', 'level', 'reasons', 'run_id'], ...rows]);
}
