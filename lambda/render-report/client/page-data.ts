/** What the page carries for its script: one JSON document, which the server writes and the script reads. */
import type { Terms, UserBin } from '../../../domain/money.ts';

/** A user of the list. */
export interface ListedUser {
  readonly id: string;
  readonly probability: number;
  readonly level: string;
  /** In words, the strongest first. */
  readonly reasons: string;
}

export interface ContactData {
  readonly terms: Terms;
  readonly users: readonly ListedUser[];
  /** All living users outside the control group, the most probable first. */
  readonly bins: readonly UserBin[];
  /** Test users as they turned out, the most probable first; empty when they are not known. */
  readonly tested: readonly UserBin[];
  /** All living users outside the control group; null when an older run did not count them. */
  readonly total: number | null;
  readonly runId: string;
}

/**
 * The same in the page's document, in which thousands of users would be a fifth of what a page may have: rows without names, and of
 * each reason its first word (mostly a number) and the number of the others, which are the same for many users.
 */
export interface PackedContacts extends Omit<ContactData, 'users' | 'bins' | 'tested'> {
  readonly users: readonly PackedUser[];
  readonly bins: readonly PackedBin[];
  readonly tested: readonly PackedBin[];
  /** What follows the first word of a reason. */
  readonly phrases: readonly string[];
}
type PackedReason = readonly [first: string, phrase: number];
type PackedUser = readonly [id: string, probability: number, level: string, reasons: readonly PackedReason[]];
type PackedBin = readonly [users: number, expected: number];

export interface PageData {
  /** Vega specifications by the id of the element in which each is drawn. */
  readonly charts: Readonly<Record<string, object>>;
  /** Vega's configuration, which all of them have in common. */
  readonly look: object;
  readonly contacts: PackedContacts | null;
}

/** Between the reasons of a user. */
export const REASONS_SEPARATOR = ' · ';

export function packed({ users, bins, tested, ...others }: ContactData): PackedContacts {
  const numbers = new Map<string, number>();
  const reason = (text: string): PackedReason => {
    const first = text.split(' ', 1)[0] ?? '';
    const phrase = text.slice(first.length);
    const number = numbers.get(phrase) ?? numbers.size;
    numbers.set(phrase, number);
    return [first, number];
  };
  const bin = ({ users: count, expected }: UserBin): PackedBin => [count, exactEnough(expected)];
  return {
    ...others,
    users: users.map(({ id, probability, level, reasons }) => [
      id,
      exactEnough(probability),
      level,
      reasons.split(REASONS_SEPARATOR).map(reason),
    ]),
    bins: bins.map(bin),
    tested: tested.map(bin),
    phrases: [...numbers.keys()],
  };
}

/** Far more digits than are shown, and half of those that a number has. */
function exactEnough(value: number): number {
  return Number(value.toPrecision(10));
}

export function unpacked({ users, bins, tested, phrases, ...others }: PackedContacts): ContactData {
  const reason = ([first, phrase]: PackedReason): string => `${first}${phrases[phrase] ?? ''}`;
  const bin = ([count, expected]: PackedBin): UserBin => ({ users: count, expected });
  return {
    ...others,
    users: users.map(([id, probability, level, reasons]) => ({
      ...{ id, probability, level },
      reasons: reasons.map(reason).join(REASONS_SEPARATOR),
    })),
    bins: bins.map(bin),
    tested: tested.map(bin),
  };
}

/** Ids and names that server and script agree on. */
export const DATA_ID = 'page-data';
export const PROFIT_CHART = 'profit-curve';
export const PROFIT_DATA = 'curve';
export const LIST_DATA = 'list';
/** Rows of the list that are shown until the reader asks for more. */
export const ROWS_AT_ONCE = 50;
