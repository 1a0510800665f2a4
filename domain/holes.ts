/** Days of a log that are missing or thin. Pure functions. */
import type { CutoffRole } from './results.ts';
import { addDays } from './time.ts';

/** Signed-in events of one UTC day. */
export interface DayEvents {
  readonly day: string;
  readonly events: number;
}

/** A day inside the log's period that has no events, or fewer than a fifth of what is usual around it. */
export interface Hole extends DayEvents {
  /** Median of the seven days around it, itself included. */
  readonly usual: number;
}

/** Below this share of the median around it a day is thin. */
const THIN_SHARE = 0.2;
/** Days with fewer events than this vary by chance. */
const LEAST_USUAL = 50;
/** Days before and after a day that are compared with it. */
const AROUND = 3;

/**
 * The holes of a log, in order. Its first and last day are seldom whole, and are never thin.
 * @param days those that have events, in any order
 * @param period the first day, and the midnight that ends the log
 */
export function findHoles(
  days: readonly DayEvents[],
  { firstDay, observationEnd }: { readonly firstDay: string; readonly observationEnd: string },
): readonly Hole[] {
  const known = new Map(days.map(({ day, events }) => [day, events]));
  const all: DayEvents[] = [];
  for (let day = firstDay; day < observationEnd; day = addDays(day, 1)) {
    all.push({ day, events: known.get(day) ?? 0 });
  }
  return all.flatMap(({ day, events }, index) => {
    const usual = median(
      all.slice(Math.max(0, index - AROUND), index + AROUND + 1).map((near) => near.events),
    );
    const isEdge = index === 0 || index === all.length - 1;
    const isThin = !isEdge && usual >= LEAST_USUAL && events < THIN_SHARE * usual;
    return events === 0 || isThin ? [{ day, events, usual }] : [];
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The longest window over which a feature looks back, in days; features over the whole history see every hole. */
const LOOKS_BACK_DAYS = 28;

/** The cutoffs whose features or labels are counted over a hole. */
export function touchedCutoffs(
  holes: readonly Pick<Hole, 'day'>[],
  cutoffs: readonly { readonly cutoff: string; readonly role: CutoffRole }[],
  horizonDays: number,
): readonly string[] {
  return cutoffs
    .filter(({ cutoff, role }) => {
      const first = addDays(cutoff, -LOOKS_BACK_DAYS);
      const end = role === 'score' ? cutoff : addDays(cutoff, horizonDays);
      return holes.some(({ day }) => day >= first && day < end);
    })
    .map(({ cutoff }) => cutoff);
}

/** Whole days from the end of the newest day with events to a moment. */
export function ageInDays(newestDay: string, now: string): number {
  const end = Date.parse(`${addDays(newestDay, 1)}T00:00:00Z`);
  return Math.max(0, Math.floor((Date.parse(now) - end) / 86_400_000));
}
