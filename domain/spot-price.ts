/** What an instance on the spot market cost: its price changes while it runs. Pure functions. */

/** From then on the price was so, until the next change. */
export interface PriceChange {
  readonly at: Date;
  readonly usdPerHour: number;
}

/**
 * Mean price in USD an hour over the interval, each price weighted by how long it held; undefined when none is known.
 * Time before the first known price counts for nothing. Changes may come in any order.
 */
export function meanUsdPerHour(changes: readonly PriceChange[], from: Date, to: Date): number | undefined {
  const ordered = [...changes].sort((a, b) => a.at.getTime() - b.at.getTime());
  const periods = ordered.map(({ at, usdPerHour }, index) => {
    const end = Math.min(to.getTime(), ordered[index + 1]?.at.getTime() ?? to.getTime());
    return { usdPerHour, milliseconds: Math.max(0, end - Math.max(from.getTime(), at.getTime())) };
  });
  const known = periods.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  // An instance that ended at once: the price that held then.
  if (known === 0) return ordered.findLast(({ at }) => at <= from)?.usdPerHour;
  return periods.reduce((sum, { usdPerHour, milliseconds }) => sum + usdPerHour * milliseconds, 0) / known;
}
