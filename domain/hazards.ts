/**
 * On which days users leave: of the users who are still there on a day, the share that cancels on it, by day of the week and by
 * days since the last change of subscription. The scripts, the report and the docs are derived from here.
 */
import { WEEKDAYS } from './exploration.ts';
import { poissonInterval } from './poisson-interval.ts';

/** Days since the last upgrade or downgrade, both ends included; the day of the change itself is day 0. */
export const LEVEL_CHANGE_BANDS: readonly {
  readonly value: string;
  readonly fromDays: number;
  /** Without it, all days from there on. */
  readonly toDays?: number;
}[] = [
  { value: 'same day', fromDays: 0, toDays: 0 },
  { value: '1 to 3 days', fromDays: 1, toDays: 3 },
  { value: '4 to 7 days', fromDays: 4, toDays: 7 },
  { value: '8 to 14 days', fromDays: 8, toDays: 14 },
  { value: '15 to 28 days', fromDays: 15, toDays: 28 },
  { value: '29 days or more', fromDays: 29 },
];
/** Days of users of whom the log shows no change yet. */
export const NO_LEVEL_CHANGE = 'no change seen';

/** How days of users are divided; the values in the order in which they are shown, Monday first. */
export const HAZARD_VARIABLES = [
  { name: 'weekday', label: 'By day of the week (UTC)', values: [...WEEKDAYS.slice(1), WEEKDAYS[0]] },
  {
    name: 'level_change',
    label: 'By days since the last change of subscription',
    values: [...LEVEL_CHANGE_BANDS.map(({ value }) => value), NO_LEVEL_CHANGE],
  },
] as const;

/** Cancellations per day at risk, with the 95 % interval (Poisson); null without a day. */
export function hazardOf({ days, cancelled }: { readonly days: number; readonly cancelled: number }): {
  readonly [figure in 'hazard' | 'low' | 'high']: number | null;
} {
  if (days === 0) return { hazard: null, low: null, high: null };
  const { low, high } = poissonInterval(cancelled);
  return { hazard: cancelled / days, low: low / days, high: high / days };
}
