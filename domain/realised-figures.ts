/**
 * How well scores did, once it is known who cancelled: with 95 % intervals by drawing users again. The same metrics as the
 * Spark step computes on test rows; here all users fit into memory. Pure functions.
 */
import { overObserved } from './predicted-observed.ts';
import type { Estimate } from './results.ts';

/** A user who was scored, and what came of it. */
export interface RealisedScore {
  /** Any number that orders the users; equal ones are ties. */
  readonly score: number;
  readonly probability: number | null;
  readonly cancelled: boolean;
}

/** Undefined where the figure has no value: everybody or nobody cancelled, or probabilities were withheld. */
export interface RealisedFigures {
  readonly users: number;
  readonly cancelled: number;
  readonly auc: Estimate | undefined;
  readonly averagePrecisionRatio: Estimate | undefined;
  readonly liftAt10: Estimate | undefined;
  readonly predictedObserved: (Estimate & { readonly predicted: number }) | undefined;
}

const RESAMPLES = 500;
const TOP_SHARE = 0.1;
const SEED = 1;

type Ranking = readonly [auc: number, averagePrecisionRatio: number, liftAt10: number];

export function realisedFigures(scores: readonly RealisedScore[]): RealisedFigures {
  const ordered = scores.toSorted((a, b) => b.score - a.score);
  const cancelled = scores.filter((score) => score.cancelled).length;
  const base = { users: scores.length, cancelled, predictedObserved: predictedOf(scores, cancelled) };
  if (cancelled === 0 || cancelled === scores.length) {
    return { ...base, auc: undefined, averagePrecisionRatio: undefined, liftAt10: undefined };
  }
  const labels = Float64Array.from(ordered, (score) => Number(score.cancelled));
  const ties = tiesOf(ordered);
  const values = ranking(labels, ties, new Float64Array(labels.length).fill(1));
  const draws = resampled(labels, ties);
  const estimate = (index: 0 | 1 | 2): Estimate => {
    const sorted = draws.map((draw) => draw[index]).sort((a, b) => a - b);
    return { value: values[index], low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
  };
  return { ...base, auc: estimate(0), averagePrecisionRatio: estimate(1), liftAt10: estimate(2) };
}

function predictedOf(
  scores: readonly RealisedScore[],
  cancelled: number,
): RealisedFigures['predictedObserved'] {
  let predicted = 0;
  for (const { probability } of scores) {
    if (probability === null) return undefined;
    predicted += probability;
  }
  const found = overObserved(predicted, cancelled);
  return found === undefined
    ? undefined
    : { predicted, value: found.value, low: found.low, high: found.high };
}

/** For each place the end of its ties. */
function tiesOf(ordered: readonly RealisedScore[]): Uint32Array {
  const ends = new Uint32Array(ordered.length);
  for (let from = ordered.length - 1, end = ordered.length; from >= 0; from -= 1) {
    if (from < ordered.length - 1 && ordered[from]?.score !== ordered[from + 1]?.score) end = from + 1;
    ends[from] = end;
  }
  return ends;
}

/** The figures of users who count `weights` times each, the highest score first. Ties count half, and pro rata. */
function ranking(labels: Float64Array, ties: Uint32Array, weights: Float64Array): Ranking {
  let [rows, positives] = [0, 0];
  for (let place = 0; place < labels.length; place += 1) {
    rows += weights[place] ?? 0;
    positives += (weights[place] ?? 0) * (labels[place] ?? 0);
  }
  const wanted = TOP_SHARE * rows;
  let [above, caught, concordant, precision, top] = [0, 0, 0, 0, 0];
  for (let from = 0; from < labels.length; ) {
    const end = ties[from] ?? labels.length;
    let [tied, hits] = [0, 0];
    for (let place = from; place < end; place += 1) {
      tied += weights[place] ?? 0;
      hits += (weights[place] ?? 0) * (labels[place] ?? 0);
    }
    const negativesBelow = rows - positives - (above - caught) - (tied - hits) / 2;
    concordant += hits * negativesBelow;
    if (tied > 0) top += hits * Math.min(1, Math.max(0, (wanted - above) / tied));
    above += tied;
    caught += hits;
    if (above > 0) precision += (hits * caught) / above;
    from = end;
  }
  return [
    concordant / (positives * (rows - positives)),
    (precision / positives) * (rows / positives),
    top / positives / TOP_SHARE,
  ];
}

/** Draws with one outcome only measure nothing, and are left out. */
function resampled(labels: Float64Array, ties: Uint32Array): readonly Ranking[] {
  const random = uniform(SEED);
  const weights = new Float64Array(labels.length);
  return Array.from({ length: RESAMPLES }, () => {
    weights.fill(0);
    for (let draw = 0; draw < labels.length; draw += 1) {
      const place = Math.floor(random() * labels.length);
      weights[place] = (weights[place] ?? 0) + 1;
    }
    return ranking(labels, ties, weights);
  }).filter(([auc]) => Number.isFinite(auc));
}

function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  return below + ((sorted[Math.ceil(place)] ?? below) - below) * (place - Math.floor(place));
}

/** Numbers in [0, 1), the same for the same seed (Tommy Ettinger's mulberry32, public domain). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
