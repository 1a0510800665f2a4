/** The price of a spot instance, which changes while it runs. Pure functions. */

/** The price from this time until the next change. */
export interface PriceChange {
  readonly at: Date;
  readonly usdPerHour: number;
}

/**
 * Mean price in USD per hour over the interval, each price weighted by its duration; undefined if no price is known.
 * Time before the first known price is ignored. The changes may be in any order.
 */
export function meanUsdPerHour(changes: readonly PriceChange[], from: Date, to: Date): number | undefined {
  const ordered = [...changes].sort((a, b) => a.at.getTime() - b.at.getTime());
  const periods = ordered.map(({ at, usdPerHour }, index) => {
    const end = Math.min(to.getTime(), ordered[index + 1]?.at.getTime() ?? to.getTime());
    return { usdPerHour, milliseconds: Math.max(0, end - Math.max(from.getTime(), at.getTime())) };
  });
  const known = periods.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  // The instance ended at once: the price at that time.
  if (known === 0) return ordered.findLast(({ at }) => at <= from)?.usdPerHour;
  return periods.reduce((sum, { usdPerHour, milliseconds }) => sum + usdPerHour * milliseconds, 0) / known;
}
