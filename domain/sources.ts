/**
 * Sources that have gone quiet or are new: a page, a level, an authentication state or a device of which no event comes any more,
 * or from one day on. All but devices are counted in page_days, which has all events; devices in user_days, of users who were signed in. Pure
 * functions.
 */
import { AUTHS, LEVELS, PAGES } from './events.ts';
import { DEVICES, OTHER, UNKNOWN } from './exploration.ts';

export const SOURCE_KINDS = ['page', 'level', 'auth', 'device'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** What is counted per day, and how in Spark SQL. */
export interface Source {
  readonly kind: SourceKind;
  readonly name: string;
  readonly sql: string;
}

/** Counted in events of page_days. */
export const EVENT_SOURCES: readonly Source[] = [
  ...PAGES.map((name) => ({ kind: 'page' as const, name, sql: eventsWith('page', name) })),
  ...LEVELS.map((name) => ({ kind: 'level' as const, name, sql: eventsWith('level', name) })),
  ...AUTHS.map((name) => ({ kind: 'auth' as const, name, sql: eventsWith('auth', name) })),
];

/** Counted in users of user_days. */
export const USER_SOURCES: readonly Source[] = [...DEVICES.map(({ value }) => value), OTHER, UNKNOWN].map(
  (name) => ({ kind: 'device' as const, name, sql: `COUNT_IF(device = '${name}')` }),
);

function eventsWith(column: string, value: string): string {
  return `SUM(IF(${column} = '${value}', events, 0))`;
}

/** A source in words: "page Home". */
export function sourceText({ kind, name }: Pick<Source, 'kind' | 'name'>): string {
  return `${kind === 'auth' ? 'authentication state' : kind} ${name}`;
}

/** The days before the end of the log that are looked at: half of them show what is usual. */
export const SOURCE_DAYS = 56;
const USUAL_DAYS = SOURCE_DAYS / 2;
/** With fewer days nothing is known to be usual. */
const LEAST_DAYS = 14;
/** A new source is news for so many days, and on so many of them it must have come. */
const NEWS_DAYS = 14;
const LEAST_NEW_DAYS = 3;
/** On fewer days than this a source did not come usually. */
const LEAST_USUAL_DAYS = 7;
/**
 * None is no chance where it is as unlikely as none of so many that come one by one: once in 500 million cases. What comes in
 * bursts counts for less, and what is rare never counts for so much.
 */
export const LEAST_EXPECTED = 20;

/** Counts of the newest days, as BuildFeatures takes them. */
export interface DailySources {
  readonly days: readonly { readonly day: string; readonly events: number; readonly users: number }[];
  readonly counts: readonly {
    readonly kind: SourceKind;
    readonly name: string;
    readonly counts: readonly number[];
  }[];
}

/** A source that has changed: with its last day if it has gone quiet, with its first day if it is new. */
export interface SourceChange {
  readonly kind: SourceKind;
  readonly name: string;
  readonly change: 'quiet' | 'new';
  readonly day: string;
  /** Events or users that would have been usual in the days in which none came. */
  readonly expected: number;
}

/** @param sources none of results of older versions */
export function sourceChanges(sources: DailySources | undefined): readonly SourceChange[] {
  if (sources === undefined) return [];
  const { days, counts } = sources;
  return counts.flatMap(({ kind, name, counts: seen }) => {
    const base = days.map(({ events, users }) => (kind === 'device' ? users : events));
    const found = goneQuiet(seen, base) ?? isNew(seen, base);
    const day = found === undefined ? undefined : days[found.index]?.day;
    return found === undefined || day === undefined
      ? []
      : [{ kind, name, change: found.change, day, expected: found.expected }];
  });
}

interface Found {
  readonly change: SourceChange['change'];
  readonly index: number;
  readonly expected: number;
}

function goneQuiet(seen: readonly number[], base: readonly number[]): Found | undefined {
  const last = seen.findLastIndex((count) => count > 0);
  const first = Math.max(0, last + 1 - USUAL_DAYS);
  const quietDays = seen.length - 1 - last;
  if (last + 1 - first < LEAST_DAYS || quietDays === 0 || quietDays > USUAL_DAYS) return undefined;
  const before = seen.slice(first, last + 1);
  if (before.filter((count) => count > 0).length < LEAST_USUAL_DAYS) return undefined;
  const usual = rateOf(before, base.slice(first, last + 1));
  return found('quiet', last, usual, base.slice(last + 1));
}

/** It must have come often, too: of a single event nobody knows how usual it is. */
function isNew(seen: readonly number[], base: readonly number[]): Found | undefined {
  const first = seen.findIndex((count) => count > 0);
  if (first < LEAST_DAYS || seen.length - first > NEWS_DAYS) return undefined;
  const since = seen.slice(first);
  if (sum(since) < LEAST_EXPECTED || since.filter((count) => count > 0).length < LEAST_NEW_DAYS)
    return undefined;
  const usual = rateOf(since, base.slice(first));
  return found('new', first, usual, base.slice(Math.max(0, first - USUAL_DAYS), first));
}

/** How often a source comes, and in how large bursts. */
interface Rate {
  readonly share: number;
  /** Of a negative binomial distribution: infinite where events come one by one, small where they come in bursts. */
  readonly size: number;
}

function rateOf(seen: readonly number[], base: readonly number[]): Rate {
  const share = sum(base) === 0 ? 0 : sum(seen) / sum(base);
  const mean = sum(seen) / seen.length;
  const variance = sum(seen.map((count, day) => (count - share * (base[day] ?? 0)) ** 2)) / seen.length;
  return { share, size: variance <= mean ? Number.POSITIVE_INFINITY : mean ** 2 / (variance - mean) };
}

/** @param base events or users of the days in which none came */
function found(
  change: SourceChange['change'],
  index: number,
  { share, size }: Rate,
  base: readonly number[],
): Found | undefined {
  const means = base.map((all) => share * all);
  const weight = sum(
    means.map((mean) => (size === Number.POSITIVE_INFINITY ? mean : size * Math.log1p(mean / size))),
  );
  // Whole numbers that were divided and multiplied again may come out a little lower.
  return weight < LEAST_EXPECTED * (1 - 1e-9) ? undefined : { change, index, expected: sum(means) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** What to know about them, a sentence each, without a full stop. */
export function sourceWarnings(sources: DailySources | undefined): readonly string[] {
  return sourceChanges(sources).map(({ kind, name, change, day, expected }) => {
    const unit = kind === 'device' ? 'users' : 'events';
    const usual = WHOLE.format(expected);
    const source = sourceText({ kind, name });
    return change === 'quiet'
      ? `The ${source} has not appeared since ${day}, though ${usual} ${unit} with it would have been usual`
      : `The ${source} is new since ${day}; at this rate ${usual} ${unit} would have come in the days before`;
  });
}

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
