/**
 * Reproducible random numbers. Each user, song and artist draws from its own stream, and so do all defects together, so
 * what happens to one does not depend on how many others there are or in which order they are visited.
 */

/** The purpose of a stream of random numbers; part of its seed. */
export type Stream = 'user' | 'song' | 'artist' | 'defect';

const STREAM_CODES: Readonly<Record<Stream, number>> = { user: 1, song: 2, artist: 3, defect: 4 };

const WARM_UP_ROUNDS = 12;
const INTEGERS = 4_294_967_296;

/**
 * Chris Doty-Humphrey's sfc32 (from PractRand, public domain): 128 bits of state, passes BigCrush, and is the
 * fastest of the well-tested generators if only 32-bit integer arithmetic is cheap.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** Each (seed, stream, index) has its own stream. `seed` may be any safe integer. */
  constructor(seed: number, stream: Stream, index: number) {
    this.a = seed | 0;
    this.b = Math.floor(seed / INTEGERS) ^ Math.imul(STREAM_CODES[stream], 0x9e3779b9);
    this.c = index | 0;
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.integer();
  }

  /** A signed 32-bit integer. */
  integer(): number {
    const result = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + result) | 0;
    return result;
  }

  /** A number in [0, 1). */
  fraction(): number {
    return (this.integer() >>> 0) / INTEGERS;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** Whether something with this probability happens. */
  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** An exponentially distributed number. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  /** A normally distributed number with mean 0 and standard deviation 1 (Box-Muller method; its second number is discarded). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.fraction())) * Math.cos(2 * Math.PI * this.fraction());
  }

  /** A log-normally distributed number; `sigma` is the standard deviation of its logarithm. */
  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  /** One item of the list, all equally likely. */
  pick<T>(list: readonly T[]): T {
    return itemAt(list, this.below(list.length));
  }
}

/** The item at an index that must exist. */
export function itemAt<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no item at ${index} in a list of ${list.length}`);
  return item;
}
