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

export interface PageData {
  /** Vega specifications by the id of the element in which each is drawn. */
  readonly charts: Readonly<Record<string, object>>;
  readonly contacts: ContactData | null;
}

/** Ids and names that server and script agree on. */
export const DATA_ID = 'page-data';
export const PROFIT_CHART = 'profit-curve';
export const PROFIT_DATA = 'curve';
export const LIST_DATA = 'list';
/** Rows of the list that are shown until the reader asks for more. */
export const ROWS_AT_ONCE = 50;
