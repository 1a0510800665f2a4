/**
 * Who leaves: how users who cancelled differ from those who stayed, over all they did in the log. A description and not a
 * prediction: it looks at whole histories, up to the cancellation itself. The scripts, the report and the docs are derived
 * from here.
 */
import { PAGE_COUNTERS } from './lake.ts';

/** A way of dividing the users; every user has one value. */
export interface ExploredVariable {
  readonly name: string;
  readonly label: string;
  /** Values in the order in which they are shown; without it, the most frequent first. */
  readonly values?: readonly string[];
}

/** Where in the report it stands, as the fragment of an address. */
export const EXPLORATION_ANCHOR = 'who-leaves';
/** What a value is called where it is not known. */
export const UNKNOWN = 'unknown';
/** Stands for values that are not among the known ones. */
export const OTHER = 'other';

/** Devices and systems, by what the user agent contains; the first that fits counts. */
export const DEVICES: readonly { readonly value: string; readonly text: string }[] = [
  { value: 'iPhone', text: 'iPhone' },
  { value: 'iPad', text: 'iPad' },
  { value: 'Android', text: 'Android' },
  { value: 'Windows', text: 'Windows' },
  { value: 'Mac', text: 'Macintosh' },
  { value: 'Linux', text: 'Linux' },
];

/** Days from registration to the end of what is known of the user: each band ends before the next begins. */
export const TENURE_BANDS: readonly { readonly value: string; readonly fromDays: number }[] = [
  { value: 'under 2 weeks', fromDays: 0 },
  { value: '2 to 4 weeks', fromDays: 14 },
  { value: '4 to 8 weeks', fromDays: 28 },
  { value: '8 to 16 weeks', fromDays: 56 },
  { value: '16 weeks or more', fromDays: 112 },
];

export const EXPLORED_VARIABLES = [
  { name: 'level', label: 'Subscription', values: ['free', 'paid'] },
  { name: 'gender', label: 'Gender' },
  { name: 'device', label: 'Device and system', values: [...DEVICES.map(({ value }) => value), OTHER] },
  { name: 'tenure', label: 'Time since registration', values: TENURE_BANDS.map(({ value }) => value) },
  { name: 'state', label: 'State' },
] as const satisfies readonly ExploredVariable[];

export type ExploredVariableName = (typeof EXPLORED_VARIABLES)[number]['name'];

/** A figure of each user: a sum, for each so many of another. */
export interface ExploredMeasure {
  readonly name: string;
  readonly label: string;
  /** Columns of user_days that are summed. */
  readonly of: string;
  readonly per: 'hour' | 'week' | 'session' | 'song';
  /** Factor in front: minutes for seconds, say, or per 100 songs. */
  readonly times?: number;
}

export const EXPLORED_MEASURES: readonly ExploredMeasure[] = [
  { name: 'sessions_per_week', label: 'Sessions per week', of: 'sessions', per: 'week' },
  {
    name: 'hours_per_week',
    label: 'Hours of use per week',
    of: 'session_seconds',
    per: 'week',
    times: 1 / 3_600,
  },
  {
    name: 'minutes_per_session',
    label: 'Minutes per session',
    of: 'session_seconds',
    per: 'session',
    times: 1 / 60,
  },
  { name: 'songs_per_hour', label: 'Songs per hour of use', of: 'songs', per: 'hour' },
  {
    name: 'thumbs_up_per_100_songs',
    label: 'Thumbs up per 100 songs',
    of: 'thumbs_up',
    per: 'song',
    times: 100,
  },
  {
    name: 'thumbs_down_per_100_songs',
    label: 'Thumbs down per 100 songs',
    of: 'thumbs_down',
    per: 'song',
    times: 100,
  },
  { name: 'adverts_per_hour', label: 'Adverts per hour of use', of: 'adverts', per: 'hour' },
  {
    name: 'playlist_adds_per_100_songs',
    label: 'Songs put on a playlist per 100',
    of: 'playlist_adds',
    per: 'song',
    times: 100,
  },
  { name: 'friend_adds_per_week', label: 'Friends added per week', of: 'friend_adds', per: 'week' },
  { name: 'errors_per_week', label: 'Errors per week', of: 'errors', per: 'week' },
];

/** The quantiles of a measure that are kept. */
export const EXPLORED_QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9] as const;

/** Pages whose visits per hour of use are compared: not those that are the cancellation itself. */
export const EXPLORED_PAGES: readonly { readonly column: string; readonly page: string }[] =
  PAGE_COUNTERS.filter(({ column }) => column !== 'cancellations' && column !== 'cancel_visits');

/** Days of the week in the order of Spark's DAYOFWEEK: 1 is Sunday. */
export const WEEKDAYS = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
] as const;

/** Hours of the day (UTC), each from this full hour to the next: the bits of user_days.active_hours. */
export const HOURS: readonly number[] = Array.from({ length: 24 }, (_, hour) => hour);

/** How users are divided for the curves of those who are still there. */
export const SURVIVAL_GROUPINGS = [
  { name: 'all', label: 'All users' },
  { name: 'level', label: 'By subscription at first sight' },
  { name: 'joined', label: 'By the week of joining' },
] as const;

export type SurvivalGroupingName = (typeof SURVIVAL_GROUPINGS)[number]['name'];

/** Users who registered before the log began have one cohort. */
export const JOINED_BEFORE = 'before the log';
/** A curve begins on the first day with so many users at risk: with fewer, one cancellation moves it by a tenth or more. */
export const LEAST_AT_RISK = 10;
