/** How old a model is, in days of the log: the run's calendar does not count, only what has become known since. */
import { addDays } from './time.ts';

const DAY_MILLISECONDS = 86_400_000;

/** Days of the log since the outcomes by which the model was tested were known. */
export function modelAgeDays(testCutoff: string, horizonDays: number, observationEnd: string): number {
  const known = Date.parse(addDays(testCutoff, horizonDays));
  return Math.max(0, Math.round((Date.parse(observationEnd) - known) / DAY_MILLISECONDS));
}

/** "3 days of the log have passed since its test". */
export function modelAgeText(days: number): string {
  if (days === 0) return 'no day of the log has passed since its test';
  return `${days === 1 ? '1 day' : `${days} days`} of the log ${days === 1 ? 'has' : 'have'} passed since its test`;
}
