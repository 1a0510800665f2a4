/**
 * The vocabulary of features: what a feature may read from a user's days, over which window, and how it combines them.
 * Everything here is plain data; compile.ts turns it into Spark SQL.
 */
import type { PAGE_COUNTERS, PAID_PAGE_COUNTERS } from '../lake.ts';

/** Days before the cutoff that a feature looks back on; `ever` is all that is known of the user. */
export const WINDOWS = [3, 7, 14, 28] as const;
export type Window = (typeof WINDOWS)[number] | 'ever';

/** Days after which an event counts half, for the counts by which users are assigned to segments; `none`: all count the same. */
export const HALF_LIVES = [28, 56, 'none'] as const;
export type HalfLife = (typeof HALF_LIVES)[number];

/**
 * Additive quantities of a user's day: a name and its Spark SQL over the columns of the view `days`
 * (user_days, with neighbouring days' sessions already joined).
 */
export const COUNTERS = {
  active_days: '1',
  free_songs: 'songs - paid_songs',
  free_events: 'events - paid_events',
  free_adverts: 'adverts - paid_adverts',
  level_changes: 'upgrades + downgrades',
  social_acts: 'playlist_adds + friend_adds',
  hours_listened: 'song_seconds / 3600',
  begun_sessions: 'begun_sessions',
  session_hours: 'joined_session_seconds / 3600',
  absence_days: 'absence_days',
  events: 'events',
  paid_events: 'paid_events',
  ended_spells: 'cancellations',
} as const satisfies Record<string, string>;

type PageCounter = (typeof PAGE_COUNTERS)[number]['column'] | (typeof PAID_PAGE_COUNTERS)[number]['column'];
export type Counter = keyof typeof COUNTERS | PageCounter;

/** Columns of user_days that describe the user, taken from the latest day on which they are known. */
export type Trait = 'level' | 'gender' | 'location' | 'user_agent';

/** When something happened to a user. */
export type Moment = 'last_event' | 'registration' | 'level_change' | 'return';

/** How a trait becomes yes (1) or no (0). */
export type Test =
  | { readonly kind: 'equals'; readonly value: string }
  /** Any of the texts occurs in the trait and none of `without` does. */
  | { readonly kind: 'contains'; readonly texts: readonly string[]; readonly without?: readonly string[] }
  /** The first two-letter state after the comma of "City, ST-ST" is one of these. */
  | { readonly kind: 'state in'; readonly states: readonly string[] };

/** Pseudo-observations that pull a ratio of few towards `of / per`, the ratio of an unknown user. */
export interface Prior {
  readonly of: number;
  readonly per: number;
}

/** How a feature combines what it reads. */
export type Measure =
  | { readonly combine: 'sum'; readonly counter: Counter; readonly window: Window }
  | { readonly combine: 'max'; readonly counter: Counter; readonly window: Window }
  /** Sum divided by the days of the window on which the user could have been seen. */
  | { readonly combine: 'per day'; readonly counter: Counter; readonly window: Window }
  /** Sum of one counter divided by the sum of another; without a prior it is missing when that is 0. */
  | {
      readonly combine: 'ratio';
      readonly of: Counter;
      readonly per: Counter;
      readonly window: Window;
      readonly prior?: Prior;
    }
  /** Daily rate of the recent window divided by that of the usual one; missing when the usual one is 0. */
  | { readonly combine: 'trend'; readonly counter: Counter; readonly recent: Window; readonly usual: Window }
  /** Sum in which an event counts half after each half-life. */
  | {
      readonly combine: 'decayed sum';
      readonly counter: Counter;
      readonly halfLife: Exclude<HalfLife, 'none'>;
    }
  /** Distinct values behind a HyperLogLog sketch (relative error about 4 %). */
  | { readonly combine: 'distinct'; readonly sketch: 'artist_sketch'; readonly window: Window }
  /** Days from a moment to the cutoff, with fractions; missing when it never came. */
  | { readonly combine: 'days since'; readonly moment: Moment }
  /** Days on which the user could have been seen in the log. */
  | { readonly combine: 'observed days' }
  | { readonly combine: 'indicator'; readonly trait: Trait; readonly test: Test };

/** How a value enters a model: as it is, or as the logarithm of one more than it (for counts with a long tail). */
export type Scale = 'linear' | 'log1p';

/** What stands for a missing value: a fixed number, or the median of the training rows. */
export type Fill = number | 'median';

/**
 * How a value reads in a sentence about a user. `amount`: the number comes first, as in "4 visits to Downgrade in 7 days".
 * `yes or no`: whether what the label says is so.
 */
export type Words =
  | { readonly kind: 'amount'; readonly one: string; readonly many: string }
  | { readonly kind: 'yes or no' };

/** Groups under which features are explained to readers; of each group a user has one reason at most. */
export const FEATURE_GROUPS = [
  { name: 'activity', label: 'How often they come' },
  { name: 'listening', label: 'How much they listen' },
  { name: 'enjoyment', label: 'Likes, dislikes and friends' },
  { name: 'adverts', label: 'Adverts they hear' },
  { name: 'subscription', label: 'Subscription and visits to its pages' },
  { name: 'service', label: 'Errors, help and settings' },
  { name: 'habit', label: 'Change of habit' },
  { name: 'tenure', label: 'Time as a user' },
  { name: 'person', label: 'Who and where they are' },
  { name: 'device', label: 'Device' },
] as const;

export type FeatureGroup = (typeof FEATURE_GROUPS)[number]['name'];

/** One feature: a column of the table `features`. */
export interface Feature {
  /** Column name: lower-case letters, digits and underscores. */
  readonly name: string;
  /** Short, for axes and tables. */
  readonly label: string;
  /** One sentence, for column comments and the docs. */
  readonly description: string;
  readonly unit: string;
  readonly words: Words;
  /** What a missing value means, where more is known than that it is missing. */
  readonly missing?: 'never';
  readonly group: FeatureGroup;
  readonly measure: Measure;
  readonly scale: Scale;
  readonly fill: Fill;
  /** `exempt`: changes with the age of the log by itself, so its drift is shown and never alarms. */
  readonly drift: 'alarm' | 'exempt';
  /**
   * Who reads it, where not every model does: `segments`, by which users are assigned to segments, or only `people`, because
   * scoring sees other values of it than training does.
   */
  readonly readBy?: 'segments' | 'people';
}
