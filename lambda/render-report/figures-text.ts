/** Figures as both the rendered page and its script write them. */

const LOCALE = 'en-GB';
const WHOLE = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const PERCENT = new Intl.NumberFormat(LOCALE, {
  style: 'percent',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const CENTS = new Intl.NumberFormat(LOCALE, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: 'negative',
});
const UNITS = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0, signDisplay: 'negative' });

export const whole = (value: number): string => WHOLE.format(value);
export const percentText = (share: number): string => PERCENT.format(share);

/** An amount without its currency, which the operator knows: cents below a hundred. */
export function money(amount: number): string {
  return Math.abs(amount) < 100 ? CENTS.format(amount) : UNITS.format(amount);
}
