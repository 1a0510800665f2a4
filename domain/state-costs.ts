/** What the states of a run cost: the instances of a cluster cost while they run, whichever state the run is in. */

/** A period of time. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** What an instance cost while it ran, in USD. */
export interface PricedPeriod extends Period {
  readonly usd: number;
}

/**
 * What instances cost during a period, in USD: of each the share of its time that falls into it. Nothing for one that ran for
 * no time at all.
 */
export function usdDuring({ from, to }: Period, instances: readonly PricedPeriod[]): number {
  return instances.reduce((sum, instance) => {
    const ran = instance.to.getTime() - instance.from.getTime();
    const start = Math.max(from.getTime(), instance.from.getTime());
    const end = Math.min(to.getTime(), instance.to.getTime());
    return ran <= 0 || end <= start ? sum : sum + (instance.usd * (end - start)) / ran;
  }, 0);
}
