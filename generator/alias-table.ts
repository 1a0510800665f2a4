import { itemAt, type Random } from './random.ts';

/** Draws indexes in proportion to their weights in constant time (Walker's alias method, with Vose's construction). */
export class AliasTable {
  private readonly keep: Float64Array;
  private readonly alias: Uint32Array;

  constructor(weights: readonly number[]) {
    const size = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const scaled = weights.map((weight) => (weight * size) / total);
    this.keep = new Float64Array(size).fill(1);
    this.alias = Uint32Array.from(weights.keys());
    const poor: number[] = [];
    const rich: number[] = [];
    for (const [index, share] of scaled.entries()) (share < 1 ? poor : rich).push(index);
    for (let low = poor.pop(), high = rich.pop(); low !== undefined && high !== undefined; low = poor.pop()) {
      this.keep[low] = itemAt(scaled, low);
      this.alias[low] = high;
      const rest = itemAt(scaled, high) + itemAt(scaled, low) - 1;
      scaled[high] = rest;
      if (rest >= 1) continue;
      poor.push(high);
      high = rich.pop();
    }
  }

  /** Draws an index in proportion to its weight. */
  draw(random: Random): number {
    const place = random.fraction() * this.keep.length;
    const index = Math.floor(place);
    return place - index < (this.keep[index] ?? 1) ? index : (this.alias[index] ?? index);
  }
}

/** Weights that decrease with rank as popularity does: (rank + shift) to the power of -exponent (Zipf-Mandelbrot law). */
export function popularityWeights(count: number, shift: number, exponent: number): number[] {
  return Array.from({ length: count }, (_, rank) => (rank + 1 + shift) ** -exponent);
}
