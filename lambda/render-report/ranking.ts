/** Points of the curves that describe a ranking. Pure functions. */
import type { CurveBin } from '../../domain/results.ts';

export interface RankingPoint {
  /** Share of the users who are contacted, the most probable first. */
  readonly contacted: number;
  /** Share of the cancellers among them. */
  readonly recall: number;
  /** Share of the others among them. */
  readonly stayers: number;
  /** Share of the contacted who cancel; null where nobody is contacted. */
  readonly precision: number | null;
  readonly lift: number | null;
}

/** Precision and lift of fewer users than this are noise. */
const LEAST_USERS = 20;
const DIGITS = 4;

/** @param curve test users in groups, the highest score first; nobody is the first point, everybody the last */
export function curvePoints(curve: readonly CurveBin[]): readonly RankingPoint[] {
  const users = curve.reduce((sum, bin) => sum + bin.users, 0);
  const cancelled = curve.reduce((sum, bin) => sum + bin.cancelled, 0);
  if (cancelled === 0 || cancelled === users) return [];
  let [reached, found] = [0, 0];
  const points = curve.map((bin) => {
    reached += bin.users;
    found += bin.cancelled;
    const isNoise = reached < Math.min(LEAST_USERS, users);
    const precision = isNoise ? null : found / reached;
    return {
      contacted: rounded(reached / users),
      recall: rounded(found / cancelled),
      stayers: rounded((reached - found) / (users - cancelled)),
      precision: precision === null ? null : rounded(precision),
      lift: precision === null ? null : rounded(precision / (cancelled / users)),
    };
  });
  return [{ contacted: 0, recall: 0, stayers: 0, precision: null, lift: null }, ...points];
}

function rounded(value: number): number {
  return Number(value.toFixed(DIGITS));
}
