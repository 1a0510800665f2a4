/**
 * What contacting users is worth. One module computes all money, for the steps of a run and for the report's page.
 * Closed forms, pure functions; amounts in one currency, which is the operator's.
 */

/** What a contact costs and saves. */
export interface Terms {
  /** Worth of a customer who stays. */
  readonly customerValue: number;
  /** Cost of the offer, for everyone who accepts it; users who would have stayed all do. */
  readonly offerCost: number;
  /** Cost of contacting one user. */
  readonly contactCost: number;
  /** Share of users about to cancel who accept the offer and stay. */
  readonly acceptance: number;
}

/** The acceptance is Beta distributed, with this mean and this many imagined observations (Verbraken et al. 2013). */
export const ACCEPTANCE_WEIGHT = 20;

export const DEFAULT_TERMS: Terms = { customerValue: 200, offerCost: 10, contactCost: 1, acceptance: 0.3 };

/** Expected profit of contacting one user who cancels with that probability. */
export function profitOfContact(probability: number, terms: Terms): number {
  return profitOfContacts(1, probability, terms);
}

/** The terms as pieces of SQL: numbers, or whatever a program fills in. */
export type TermsSql = { readonly [Term in keyof Terms]: string };

/** The value of contacting a user in SQL: the same sums in the same order as `profitOfContact`. @param probability its column */
export function valueSql(
  probability: string,
  { customerValue, offerCost, contactCost, acceptance }: TermsSql,
): string {
  return (
    `${probability} * (${acceptance} * (${customerValue} - ${offerCost}) - ${contactCost})\n` +
    `- (1 - ${probability}) * (${offerCost} + ${contactCost})`
  );
}

/** Expected profit of contacting users, by how many they are and how many of them are expected to cancel. */
export function profitOfContacts(users: number, cancelling: number, terms: Terms): number {
  const { customerValue, offerCost, contactCost, acceptance } = terms;
  const saved = acceptance * (customerValue - offerCost) - contactCost;
  return cancelling * saved - (users - cancelling) * (offerCost + contactCost);
}

/**
 * The probability from which contacting a user pays.
 * Above 1, or infinite, when contacting nobody pays.
 */
export function breakEven({ customerValue, offerCost, contactCost, acceptance }: Terms): number {
  const gained = acceptance * (customerValue - offerCost) + offerCost;
  return gained <= 0 ? Number.POSITIVE_INFINITY : (offerCost + contactCost) / gained;
}

/** Users of about the same probability; `expected` is the sum of their probabilities. */
export interface UserBin {
  readonly users: number;
  readonly expected: number;
}

/** The most probable users, and what contacting them is worth. */
export interface CurvePoint {
  readonly users: number;
  readonly cancelling: number;
  readonly profit: number;
}

/** What the profit may come to by chance alone, if the probabilities are right: 95 %. */
export interface BandPoint extends CurvePoint {
  readonly low: number;
  readonly high: number;
}

const STANDARD_DEVIATIONS = 1.96;

/** Profit by the number of users contacted, from nobody to everybody. @param bins the most probable first */
export function profitCurve(bins: readonly UserBin[], terms: Terms): readonly BandPoint[] {
  let [users, cancelling, variance] = [0, 0, 0];
  const one = Math.abs(profitOfContacts(1, 1, terms) - profitOfContacts(1, 0, terms));
  const points = bins.map((bin) => {
    users += bin.users;
    cancelling += bin.expected;
    variance += bin.users === 0 ? 0 : bin.expected * (1 - bin.expected / bin.users);
    const profit = profitOfContacts(users, cancelling, terms);
    const margin = STANDARD_DEVIATIONS * Math.sqrt(Math.max(0, variance)) * one;
    return { users, cancelling, profit, low: profit - margin, high: profit + margin };
  });
  return [{ users: 0, cancelling: 0, profit: 0, low: 0, high: 0 }, ...points];
}

/**
 * The list: every user at or above the break-even probability. A bin belongs to it when its mean does.
 * @param bins in any order
 */
export function listOf(bins: readonly UserBin[], terms: Terms): CurvePoint {
  const least = breakEven(terms);
  const listed = bins.filter(({ users, expected }) => users > 0 && expected / users >= least);
  const users = listed.reduce((sum, bin) => sum + bin.users, 0);
  const cancelling = listed.reduce((sum, bin) => sum + bin.expected, 0);
  return { users, cancelling, profit: profitOfContacts(users, cancelling, terms) };
}

/** The point of the curve where the profit is largest; the smallest such number of users. */
export function bestPoint(curve: readonly CurvePoint[]): CurvePoint {
  const nobody: CurvePoint = { users: 0, cancelling: 0, profit: 0 };
  return curve.reduce((best, point) => (point.profit > best.profit ? point : best), nobody);
}
