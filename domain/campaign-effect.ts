/**
 * What contacting users has achieved, by intention to treat: the users of a list against those of the control group who would
 * have been on it, whoever was really contacted. Closed forms, pure functions.
 */
import type { Estimate } from './results.ts';
import { shareInterval } from './share-interval.ts';

/** Users of one kind, and how many of them cancelled within the horizon. */
export interface Arm {
  readonly users: number;
  readonly cancelled: number;
}

/** The chance that an effect of the stated size is found. */
export const POWER = 0.8;
/** Two-sided 95 % quantile of the normal distribution. */
const Z_95 = 1.96;
const HALVINGS = 60;

/**
 * By how much fewer of the list cancelled: share of the control users minus share of the list, with its 95 % interval by
 * Newcombe's method 10 (Statistics in Medicine 17, 1998), which holds for small shares and unequal numbers of users too.
 * Undefined where one of the two has no users.
 */
export function campaignEffect(list: Arm, control: Arm): (Estimate & IntervalBounds) | undefined {
  if (list.users === 0 || control.users === 0) return undefined;
  const [treated, untreated] = [list.cancelled / list.users, control.cancelled / control.users];
  const own = shareInterval(treated, list.users);
  const other = shareInterval(untreated, control.users);
  const value = untreated - treated;
  return {
    value,
    low: value - Math.hypot(untreated - other.low, own.high - treated),
    high: value + Math.hypot(other.high - untreated, treated - own.low),
  };
}

interface IntervalBounds {
  readonly low: number;
  readonly high: number;
}

/** Whether the interval excludes that contacting changes nothing. */
export function isFound({ low, high }: IntervalBounds): boolean {
  return low > 0 || high < 0;
}

/**
 * The chance that an effect is found, by the normal approximation: of those who would cancel anyway, `share` of all, contacting
 * saves `effect` of all.
 */
export function powerOf(share: number, effect: number, listUsers: number, controlUsers: number): number {
  const treated = share - effect;
  const pooled = (share * controlUsers + treated * listUsers) / (listUsers + controlUsers);
  const underNone = Math.sqrt(pooled * (1 - pooled) * (1 / listUsers + 1 / controlUsers));
  const underEffect = Math.sqrt((treated * (1 - treated)) / listUsers + (share * (1 - share)) / controlUsers);
  return normalShare((effect - Z_95 * underNone) / underEffect);
}

/**
 * The smallest effect that would have been found in 80 of 100 cases; null where not even saving everyone would.
 * @param share of the users that is expected to cancel if nobody is contacted
 */
export function smallestEffect(share: number, listUsers: number, controlUsers: number): number | null {
  if (listUsers === 0 || controlUsers === 0 || share <= 0 || share >= 1) return null;
  const most = share * (1 - 1e-9);
  if (powerOf(share, most, listUsers, controlUsers) < POWER) return null;
  let [low, high] = [0, most];
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2;
    if (powerOf(share, middle, listUsers, controlUsers) < POWER) low = middle;
    else high = middle;
  }
  return high;
}

/** Share of the normal distribution at or below z (Abramowitz and Stegun 26.2.17; its error is below 1e-7). */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z < 0 ? tail : 1 - tail;
}
