/**
 * Whether as many users cancel as the scores say, watched from run to run: a CUSUM of the likelihood ratio of the counts that
 * came, between what was predicted and a factor more or fewer (Lucas, Technometrics 27, 1985). Pure functions.
 */
import type { PastOutcome } from './outcomes.ts';

/** The change of the hazard that is looked for. Smaller ones than about half of it never add up, however long they last. */
export const WATCHED_FACTOR = 1.3;
/**
 * Where the sum rings. While the predictions are right a sum reaches log(a) once in a outcomes at most, by chance, so both
 * together ring once in 50.
 */
export const RINGS_AT = Math.log(100);

export type Direction = 'more' | 'fewer';

/** Both sums once the outcome of a run is known. */
export interface WatchedOutcome extends PastOutcome {
  readonly predicted: number;
  readonly more: number;
  readonly fewer: number;
  /** The sum that rang with this outcome; both begin again after it. */
  readonly rings: Direction | undefined;
}

/** What rang with the newest outcome: since when the sum had been rising, and what was predicted and came since. */
export interface OutcomeAlarm {
  readonly direction: Direction;
  readonly sinceCutoff: string;
  readonly predicted: number;
  readonly observed: number;
}

const DAY_MILLISECONDS = 86_400_000;

/**
 * The outcomes that are watched: those whose horizons do not overlap, because the others count the same cancellations again.
 * Periods as long as the horizon are counted from a fixed day, and of each the first run is taken. A log with a run on the day on
 * which a period begins waits for it: so the choice of daily runs is the same whichever runs are known.
 * @param past in the order of their cutoffs
 */
export function watchedOutcomes(past: readonly PastOutcome[]): readonly WatchedOutcome[] {
  const watched: WatchedOutcome[] = [];
  let settled = '';
  for (const outcome of past) {
    const { predicted, observed, cutoff, horizonEnd } = outcome;
    const { period, isItsFirstDay } = periodOf(cutoff, horizonEnd);
    if (period === settled || predicted === null || predicted === 0) continue;
    const before = watched.at(-1);
    const overlaps = before !== undefined && cutoff < before.horizonEnd;
    if (!overlaps || isItsFirstDay) settled = period;
    if (overlaps) continue;
    const [more, fewer] = [WATCHED_FACTOR, 1 / WATCHED_FACTOR].map(
      (factor) => observed * Math.log(factor) - predicted * (factor - 1),
    );
    const start = before === undefined || before.rings !== undefined ? { more: 0, fewer: 0 } : before;
    const sums = {
      more: Math.max(0, start.more + (more ?? 0)),
      fewer: Math.max(0, start.fewer + (fewer ?? 0)),
    };
    const rings = sums.more >= RINGS_AT ? 'more' : sums.fewer >= RINGS_AT ? 'fewer' : undefined;
    watched.push({ ...outcome, predicted, ...sums, rings });
  }
  return watched;
}

/** Undefined where the newest watched outcome does not ring. */
export function outcomeAlarm(past: readonly PastOutcome[]): OutcomeAlarm | undefined {
  const watched = watchedOutcomes(past);
  const direction = watched.at(-1)?.rings;
  if (direction === undefined) return undefined;
  const quiet = watched.findLastIndex(
    (outcome, index) =>
      index < watched.length - 1 && (outcome[direction] === 0 || outcome.rings !== undefined),
  );
  const since = watched.slice(quiet + 1);
  return {
    direction,
    sinceCutoff: since[0]?.cutoff ?? '',
    predicted: since.reduce((sum, { predicted }) => sum + predicted, 0),
    observed: since.reduce((sum, { observed }) => sum + observed, 0),
  };
}

/** What to know about it, a sentence without a full stop. */
export function outcomeWarning(past: readonly PastOutcome[]): string | undefined {
  const alarm = outcomeAlarm(past);
  if (alarm === undefined) return undefined;
  const { direction, sinceCutoff, predicted, observed } = alarm;
  return (
    `${direction === 'more' ? 'More' : 'Fewer'} users cancel than the scores said: of those scored from ${sinceCutoff} on ` +
    `${WHOLE.format(predicted)} were predicted to cancel and ${WHOLE.format(observed)} did, more than chance explains`
  );
}

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** The period that a cutoff falls into, of those that follow each other from a fixed day on. */
function periodOf(
  cutoff: string,
  horizonEnd: string,
): { readonly period: string; readonly isItsFirstDay: boolean } {
  const day = Date.parse(cutoff) / DAY_MILLISECONDS;
  const days = Date.parse(horizonEnd) / DAY_MILLISECONDS - day;
  return { period: `${days} ${Math.floor(day / days)}`, isItsFirstDay: day % days === 0 };
}
