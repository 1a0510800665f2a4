/** Figures about measurements. */

/** @throws when there are no values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error('there is no median of no values');
  return (low + high) / 2;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export interface SizedCost {
  readonly size: number;
  readonly cost: number;
}

/** By which power of the size the cost grows: 1 is proportional. Undefined where a cost or size is 0, or sizes are equal. */
export function growth(small: SizedCost, large: SizedCost): number | undefined {
  const exponent = Math.log(large.cost / small.cost) / Math.log(large.size / small.size);
  return Number.isFinite(exponent) ? exponent : undefined;
}
