/**
 * The event log as it is delivered: its columns and pages, and how ingest treats them.
 * Everything that reads or writes an event (PySpark, DDL, the generator, the docs) is derived from here.
 */

/** The type of a raw JSON value. `integer` has 64 bits; `number` is a double. */
export type RawType = 'string' | 'integer' | 'number';

/** What ingest does with a raw column. */
export type Treatment = 'kept' | 'renamed' | 'dropped as personal';

/** One column of the raw log. */
export interface RawColumn {
  readonly name: string;
  readonly type: RawType;
  /** Whether a valid row may leave the value out or set it to null. */
  readonly optional: boolean;
  readonly treatment: Treatment;
  readonly meaning: string;
}

/** The 18 columns of the raw log, in its publisher's order. */
export const RAW_COLUMNS = [
  {
    name: 'artist',
    type: 'string',
    optional: true,
    treatment: 'kept',
    meaning: 'artist of the song played (NextSong only)',
  },
  {
    name: 'auth',
    type: 'string',
    optional: false,
    treatment: 'kept',
    meaning: 'whether a user was signed in',
  },
  {
    name: 'firstName',
    type: 'string',
    optional: true,
    treatment: 'dropped as personal',
    meaning: 'first name of the user',
  },
  {
    name: 'gender',
    type: 'string',
    optional: true,
    treatment: 'kept',
    meaning: 'gender the user registered with, M or F',
  },
  {
    name: 'itemInSession',
    type: 'integer',
    optional: true,
    treatment: 'renamed',
    meaning: 'position of the event in its session',
  },
  {
    name: 'lastName',
    type: 'string',
    optional: true,
    treatment: 'dropped as personal',
    meaning: 'last name of the user',
  },
  {
    name: 'length',
    type: 'number',
    optional: true,
    treatment: 'renamed',
    meaning: 'length of the song in seconds (NextSong only)',
  },
  {
    name: 'level',
    type: 'string',
    optional: true,
    treatment: 'kept',
    meaning: 'subscription at the time of the event',
  },
  {
    name: 'location',
    type: 'string',
    optional: true,
    treatment: 'kept',
    meaning: 'metropolitan area and state, "City, ST"',
  },
  { name: 'method', type: 'string', optional: true, treatment: 'kept', meaning: 'HTTP method' },
  { name: 'page', type: 'string', optional: false, treatment: 'kept', meaning: 'page that was visited' },
  {
    name: 'registration',
    type: 'integer',
    optional: true,
    treatment: 'renamed',
    meaning: 'when the user registered, epoch milliseconds',
  },
  {
    name: 'sessionId',
    type: 'integer',
    optional: true,
    treatment: 'renamed',
    meaning: 'session; unique only together with the user',
  },
  {
    name: 'song',
    type: 'string',
    optional: true,
    treatment: 'kept',
    meaning: 'title of the song played (NextSong only)',
  },
  {
    name: 'status',
    type: 'integer',
    optional: true,
    treatment: 'kept',
    meaning: 'HTTP status: 200, 307 or 404',
  },
  {
    name: 'ts',
    type: 'integer',
    optional: false,
    treatment: 'renamed',
    meaning: 'time of the event, epoch milliseconds',
  },
  {
    name: 'userAgent',
    type: 'string',
    optional: true,
    treatment: 'renamed',
    meaning: "the browser's user agent",
  },
  {
    name: 'userId',
    type: 'string',
    optional: true,
    treatment: 'renamed',
    meaning: 'user; a string or an integer; empty when no user is signed in',
  },
] as const satisfies readonly RawColumn[];

export type RawColumnName = (typeof RAW_COLUMNS)[number]['name'];

/** Raw columns that name a person: never copied out of the raw log. */
export const PERSONAL_COLUMNS: readonly RawColumnName[] = RAW_COLUMNS.filter(
  (column) => column.treatment === 'dropped as personal',
).map((column) => column.name);

/** Every page of the service. */
export const PAGES = [
  'NextSong',
  'Home',
  'Thumbs Up',
  'Thumbs Down',
  'Add to Playlist',
  'Add Friend',
  'Roll Advert',
  'Login',
  'Logout',
  'Downgrade',
  'Submit Downgrade',
  'Upgrade',
  'Submit Upgrade',
  'Help',
  'Settings',
  'Save Settings',
  'About',
  'Error',
  'Cancel',
  'Cancellation Confirmation',
  'Register',
  'Submit Registration',
] as const;

export type Page = (typeof PAGES)[number];

/** What a churn event is. Labels, living users and spells are derived from it. */
export interface ChurnEvent {
  /** Its event is what the models predict. */
  readonly page: Page;
  /** Whether the user is gone afterwards, until they come back; if not, they stay living and the label can recur. */
  readonly endsSpell: boolean;
}

/** A cancellation: it ends a spell, the time from a user's first event, or from their return, to it. */
export const CHURN_EVENT: ChurnEvent = { page: 'Cancellation Confirmation', endsSpell: true };

/** Events that trail behind the end of a spell by up to so many minutes are not a return. */
export const RETURN_AFTER_MINUTES = 30;

/** The page that plays a song. */
export const SONG_PAGE: Page = 'NextSong';

/** The authentication states. */
export const AUTHS = ['Logged In', 'Logged Out', 'Guest', 'Cancelled'] as const;
export type Auth = (typeof AUTHS)[number];
/** Only rows in these states belong to a user's history; all others belong to no user. */
export const USER_AUTHS: readonly Auth[] = ['Logged In', 'Cancelled'];

/** The methods of HTTP. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const;

/** Words for a gender; another text is not taken over, for it could be anything: a first name, where columns were shifted. */
export const GENDERS = [...['M', 'F', 'X', 'male', 'female', 'other', 'Male', 'Female', 'Other']] as const;

export const LEVELS = ['free', 'paid'] as const;
export type Level = (typeof LEVELS)[number];

/** User ids that stand for all signed-out users: the empty id, and the pseudo-user of the published 12 GB log. */
export const PSEUDO_USER_IDS: readonly string[] = ['', '1261737'];

/** Why ingest refuses a row. A row gets the first reason that applies, in the order in which they are checked. */
export interface RefusalReason {
  readonly code: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** A row of a forgotten user is refused whatever else its line contains, and nothing of the line is kept. */
export const FORGOTTEN_USER = {
  code: 'forgotten_user',
  meaning: 'the user asked to be forgotten',
  remedy: "delete the user's lines from the log, so that they are not delivered again",
} as const satisfies RefusalReason;

/** What can be wrong with a row. */
export const ROW_DEFECTS = [
  {
    code: 'malformed_json',
    meaning: 'the line is not one JSON object in UTF-8',
    remedy: 'look for truncated uploads and broken encodings in the exporter',
  },
  {
    code: 'two_spellings',
    meaning: 'a column is there in two spellings, or twice with different values',
    remedy: 'write each column once, spelt as in the documentation',
  },
  {
    code: 'wrong_type',
    meaning: 'a value has a type its column does not allow',
    remedy: 'write each column as the findings below say',
  },
  {
    code: 'missing_ts',
    meaning: 'ts is absent or null',
    remedy: 'every event needs its time in epoch milliseconds',
  },
  {
    code: 'ts_in_seconds',
    meaning: 'ts is in seconds, not milliseconds',
    remedy: 'multiply ts by 1,000 in the exporter',
  },
  {
    code: 'ts_out_of_range',
    meaning: 'ts is before the earliest or after the latest time that a run accepts',
    remedy: 'check the clock and the unit of ts in the exporter',
  },
  {
    code: 'unknown_auth',
    meaning: 'auth is absent or not one of the known states',
    remedy: 'add a new state to AUTHS in domain/events.ts',
  },
  {
    code: 'missing_user_id',
    meaning: 'a signed-in row has no user',
    remedy: 'signed-in events must carry userId',
  },
  { code: 'missing_page', meaning: 'page is absent or null', remedy: 'every event needs its page' },
  {
    code: 'unknown_page',
    meaning: 'page is not one of the known pages',
    remedy: 'add a new page to PAGES in domain/events.ts',
  },
  {
    code: 'unknown_level',
    meaning: 'level is present but neither free nor paid',
    remedy: 'add a new level to LEVELS in domain/events.ts',
  },
  {
    code: 'impossible_length',
    meaning: 'length is below 0, or infinite',
    remedy: 'write the length of a song in seconds, or leave it out',
  },
] as const satisfies readonly RefusalReason[];

export type RowDefectCode = (typeof ROW_DEFECTS)[number]['code'];

export const REFUSAL_REASONS = [FORGOTTEN_USER, ...ROW_DEFECTS] as const;

export type RefusalCode = (typeof REFUSAL_REASONS)[number]['code'];

/** A ts below this (1973-03-03 in milliseconds) can only be in seconds. */
export const SECONDS_BELOW_MILLISECONDS = 100_000_000_000;

/** Seconds in a UTC day. */
export const SECONDS_PER_DAY = 86_400;
