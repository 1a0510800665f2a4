/** Which runs have had their time. Pure. */

/** The newest runs that were recorded: reports show them and link to each other, so what they left is kept. */
export const MOST_SHOWN_RUNS = 400;
/** Runs that expire at once, because their objects are removed one by one. The others go with the next runs. */
export const MOST_EXPIRED_AT_ONCE = 50;

const DAY_MILLISECONDS = 86_400_000;

/** A run of which there are objects. */
export interface StoredRun {
  readonly runId: string;
  /** When the newest of its objects was written. */
  readonly writtenAt: Date;
  /** Whether it stored results, and so has scores of which it will be known what came true. */
  readonly hasDetail: boolean;
}

export interface RetentionFacts {
  readonly now: Date;
  readonly retentionDays: number;
  readonly stored: readonly StoredRun[];
  /** All runs that were recorded when they ended. Records are kept for good. */
  readonly recorded: readonly { readonly runId: string; readonly at: Date }[];
  /** Runs of which it is known what came true. */
  readonly withOutcome: ReadonlySet<string>;
  /** Runs by whose model, scores or results something goes that is current. */
  readonly inUse: ReadonlySet<string>;
}

/**
 * Runs that ended before the days of the setting, are not among the newest ones, wait for no outcome, and are not in use;
 * the oldest first.
 */
export function expiredRuns(facts: RetentionFacts): readonly string[] {
  const { now, retentionDays, stored, withOutcome, inUse } = facts;
  const before = now.getTime() - retentionDays * DAY_MILLISECONDS;
  const newestFirst = facts.recorded.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const shown = new Set(newestFirst.slice(0, MOST_SHOWN_RUNS).map(({ runId }) => runId));
  // Other objects of a run are written again when a user is forgotten.
  const recordedAt = new Map(newestFirst.map(({ runId, at }) => [runId, at]));
  return stored
    .map(({ runId, writtenAt, hasDetail }) => ({
      runId,
      endedAt: (recordedAt.get(runId) ?? writtenAt).getTime(),
      waits: hasDetail && !withOutcome.has(runId),
    }))
    .filter(
      ({ runId, endedAt, waits }) => endedAt < before && !shown.has(runId) && !waits && !inUse.has(runId),
    )
    .sort((a, b) => a.endedAt - b.endedAt)
    .slice(0, MOST_EXPIRED_AT_ONCE)
    .map(({ runId }) => runId);
}

/** For people; undefined where nothing goes. */
export function expiredText(runs: number): string | undefined {
  if (runs === 0) return undefined;
  return `models, objects, reports and scores of ${runs} old ${runs === 1 ? 'run' : 'runs'} (setting retentionDays)`;
}
