/** Numbers and days as the report writes them. */
import { ISO_DATE } from '../../domain/time.ts';

const LOCALE = 'en-GB';
const WHOLE = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const PERCENT = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 1 });
const USD = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: 'USD', currencyDisplay: 'code' });
const BYTES = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 });
const DAY = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long', timeZone: 'UTC' });
const MOMENT = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

const SHORT_MOMENT = new Intl.DateTimeFormat(LOCALE, {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

export const whole = (value: number): string => WHOLE.format(value);
export const percent = (share: number): string => PERCENT.format(share);
export const usd = (amount: number): string => USD.format(amount);

/** A number with a fixed number of decimals. */
export function decimal(value: number, digits: number): string {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(LOCALE, format).format(value);
}

/** `2018-12-03` as "3 December 2018"; other text is returned as it is. */
export function day(date: string): string {
  return ISO_DATE.test(date) ? DAY.format(new Date(`${date}T00:00:00Z`)) : date;
}

/** The first and last day of a period, without repeating month or year: "3 and 16 December 2018". */
export function between(first: string, last: string): string {
  const [start = '', end = ''] = [day(first), day(last)];
  const own = start.split(' ');
  const shared = end.split(' ');
  while (own.length > 1 && own.at(-1) === shared.at(-1)) {
    own.pop();
    shared.pop();
  }
  return `${own.join(' ')} and ${end}`;
}

/** A moment in UTC. */
export function moment(iso: string): string {
  return `${MOMENT.format(new Date(iso))} UTC`;
}

/** The same without its zone, for a column whose heading has it: "4 Dec 2018, 06:00". */
export function shortMoment(iso: string): string {
  return SHORT_MOMENT.format(new Date(iso));
}

/** Bytes in a suitable unit. */
export function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = count < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return `${BYTES.format(count / 1_000 ** power)} ${units[power]}`;
}

/** "1 user", "2 users". */
export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Of longer ones the seconds say nothing. */
const EXACT_SECONDS = 600;

/** A duration in suitable units. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < EXACT_SECONDS)
    return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
