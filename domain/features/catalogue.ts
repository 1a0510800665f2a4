/** The feature catalogue: every column from which the models learn. */
import { amountOf, counts, type Noun, ratios, trend } from './build.ts';
import { CHANNEL_FEATURES } from './channels.ts';
import type { Feature, FeatureGroup, Test, Trait } from './measure.ts';
import { REGIONS } from './regions.ts';

const EVENTS: Noun = { counter: 'events', noun: 'events', one: 'event', group: 'activity' };
const ACTIVE_DAYS: Noun = {
  counter: 'active_days',
  noun: 'active days',
  one: 'active day',
  group: 'activity',
  unit: 'days',
};
const SESSIONS: Noun = { counter: 'begun_sessions', noun: 'sessions', one: 'session', group: 'activity' };
const HOME: Noun = {
  counter: 'home_visits',
  noun: 'visits to Home',
  one: 'visit to Home',
  group: 'activity',
  unit: 'visits',
};
const LOGOUTS: Noun = { counter: 'logouts', noun: 'logouts', one: 'logout', group: 'activity' };
const SESSION_HOURS: Noun = {
  counter: 'session_hours',
  noun: 'hours in sessions',
  one: 'hour in sessions',
  group: 'activity',
  unit: 'hours',
};
const SONGS: Noun = { counter: 'songs', noun: 'songs', one: 'song', group: 'listening' };
const HOURS: Noun = {
  counter: 'hours_listened',
  noun: 'hours listened',
  one: 'hour listened',
  group: 'listening',
  unit: 'hours',
};
const THUMBS_UP: Noun = { counter: 'thumbs_up', noun: 'thumbs up', one: 'thumb up', group: 'enjoyment' };
const THUMBS_DOWN: Noun = {
  counter: 'thumbs_down',
  noun: 'thumbs down',
  one: 'thumb down',
  group: 'enjoyment',
};
const PLAYLIST: Noun = {
  counter: 'playlist_adds',
  noun: 'playlist adds',
  one: 'playlist add',
  group: 'enjoyment',
};
const FRIENDS: Noun = {
  counter: 'friend_adds',
  noun: 'friends added',
  one: 'friend added',
  group: 'enjoyment',
};
const ADVERTS: Noun = { counter: 'adverts', noun: 'adverts', one: 'advert', group: 'adverts' };
const DOWNGRADE_VISITS: Noun = {
  counter: 'downgrade_visits',
  noun: 'visits to Downgrade',
  one: 'visit to Downgrade',
  group: 'subscription',
  unit: 'visits',
};
const UPGRADE_VISITS: Noun = {
  counter: 'upgrade_visits',
  noun: 'visits to Upgrade',
  one: 'visit to Upgrade',
  group: 'subscription',
  unit: 'visits',
};
const LEVEL_CHANGES: Noun = {
  counter: 'level_changes',
  noun: 'changes of level',
  one: 'change of level',
  group: 'subscription',
  unit: 'changes',
};
const PAID_EVENTS: Noun = {
  counter: 'paid_events',
  noun: 'paid events',
  one: 'paid event',
  group: 'subscription',
};
const HELP: Noun = {
  counter: 'help_visits',
  noun: 'visits to Help',
  one: 'visit to Help',
  group: 'service',
  unit: 'visits',
};
const SETTINGS: Noun = {
  counter: 'settings_visits',
  noun: 'visits to Settings',
  one: 'visit to Settings',
  group: 'service',
  unit: 'visits',
};
const SAVES: Noun = {
  counter: 'settings_saves',
  noun: 'settings saved',
  one: 'setting saved',
  group: 'service',
};
const ABOUT: Noun = {
  counter: 'about_visits',
  noun: 'visits to About',
  one: 'visit to About',
  group: 'service',
  unit: 'visits',
};
const ERRORS: Noun = { counter: 'errors', noun: 'errors', one: 'error', group: 'service' };

const SONG = { counter: 'songs', noun: 'song', name: 'song' } as const;
const FREE_SONG = { counter: 'free_songs', noun: 'free song', name: 'free_song' } as const;
const EVENT = { counter: 'events', noun: 'event', name: 'event' } as const;
const SESSION = { counter: 'begun_sessions', noun: 'session', name: 'session' } as const;
const ACTIVE_DAY = { counter: 'active_days', noun: 'active day', name: 'active_day' } as const;

const WEEK_MONTH_EVER = [7, 28, 'ever'] as const;
const MONTH_EVER = [28, 'ever'] as const;

/** Yes or no, from the latest value of something that describes the user. */
function indicator(
  name: string,
  label: string,
  group: FeatureGroup,
  trait: Trait,
  test: Test,
  fill = 0,
): Feature {
  return {
    name,
    label,
    description: `1 when the latest ${trait.replace('_', ' ')} says so, else 0: ${label.toLowerCase()}`,
    unit: 'yes or no',
    words: { kind: 'yes or no' },
    group,
    measure: { combine: 'indicator', trait, test },
    scale: 'linear',
    fill,
    drift: 'alarm',
  };
}

const FAMILIES: readonly Feature[] = [
  ...[EVENTS, ACTIVE_DAYS, SESSIONS, SESSION_HOURS, SONGS, HOURS].flatMap((noun) => counts(noun)),
  ...[HOME, LOGOUTS].flatMap((noun) => counts(noun, [7, 28])),
  ...[THUMBS_UP, THUMBS_DOWN, PLAYLIST, FRIENDS, ADVERTS, DOWNGRADE_VISITS].flatMap((noun) => counts(noun)),
  ...[SETTINGS, HELP, ERRORS].flatMap((noun) => counts(noun)),
  ...[UPGRADE_VISITS, LEVEL_CHANGES, SAVES, ABOUT].flatMap((noun) => counts(noun, [28])),
  ...ratios(THUMBS_UP, SONG, WEEK_MONTH_EVER, { of: 3, per: 60 }),
  ...ratios(THUMBS_DOWN, SONG, WEEK_MONTH_EVER, { of: 1, per: 80 }),
  ...ratios(PLAYLIST, SONG, MONTH_EVER, { of: 3, per: 100 }),
  ...ratios(FRIENDS, SONG, MONTH_EVER, { of: 2, per: 100 }),
  ...ratios(ADVERTS, FREE_SONG, WEEK_MONTH_EVER, { of: 2, per: 20 }),
  ...ratios(THUMBS_DOWN, { counter: 'thumbs_up', noun: 'thumb up', name: 'thumb_up' }, MONTH_EVER, {
    of: 1,
    per: 4,
  }),
  ...[HOME, LOGOUTS, HELP, SETTINGS, ERRORS, DOWNGRADE_VISITS, UPGRADE_VISITS].flatMap((noun) =>
    ratios(noun, EVENT, MONTH_EVER, { of: 1, per: 100 }),
  ),
  ...ratios(PAID_EVENTS, EVENT, WEEK_MONTH_EVER),
  ...ratios(SONGS, EVENT, MONTH_EVER),
  ...ratios(EVENTS, SESSION, MONTH_EVER),
  ...ratios(SESSION_HOURS, SESSION, MONTH_EVER),
  ...ratios(SONGS, ACTIVE_DAY, MONTH_EVER),
  ...[EVENTS, ACTIVE_DAYS, SESSIONS, SONGS, THUMBS_UP, THUMBS_DOWN, ADVERTS].map(trend),
];

const SINGLE: readonly Feature[] = [
  {
    name: 'days_since_last_seen',
    label: 'Days since last seen',
    description: 'Days from the last event to the cutoff',
    unit: 'days',
    words: amountOf('day', 'days', 'since last seen'),
    group: 'activity',
    measure: { combine: 'days since', moment: 'last_event' },
    scale: 'log1p',
    fill: 'median',
    drift: 'alarm',
  },
  {
    name: 'longest_absence_days',
    label: 'Longest absence',
    description: 'Most days between two neighbouring active days',
    unit: 'days',
    words: amountOf('day', 'days', 'without an event at the longest'),
    group: 'activity',
    measure: { combine: 'max', counter: 'absence_days', window: 'ever' },
    scale: 'log1p',
    fill: 0,
    drift: 'exempt',
  },
  {
    name: 'most_songs_in_a_day',
    label: 'Most songs in a day',
    description: 'Most songs played on one day of the last 28',
    unit: 'songs',
    words: amountOf('song', 'songs', 'on the busiest of 28 days'),
    group: 'listening',
    measure: { combine: 'max', counter: 'songs', window: 28 },
    scale: 'log1p',
    fill: 0,
    drift: 'alarm',
  },
  {
    name: 'artists_last_28_days',
    label: 'Artists, last 28 days',
    description: 'Distinct artists played in the last 28 days, within about 4 %',
    unit: 'artists',
    words: amountOf('artist', 'artists', 'in 28 days'),
    group: 'listening',
    measure: { combine: 'distinct', sketch: 'artist_sketch', window: 28 },
    scale: 'log1p',
    fill: 0,
    drift: 'alarm',
  },
  {
    name: 'artists',
    label: 'Artists, ever',
    description: 'Distinct artists played so far, within about 4 %',
    unit: 'artists',
    words: amountOf('artist', 'artists', 'so far'),
    group: 'listening',
    measure: { combine: 'distinct', sketch: 'artist_sketch', window: 'ever' },
    scale: 'log1p',
    fill: 0,
    drift: 'exempt',
  },
  {
    name: 'tenure_days',
    label: 'Tenure',
    description: 'Days from registration to the cutoff; 0 for a registration after it',
    unit: 'days',
    words: amountOf('day', 'days', 'since registration'),
    group: 'tenure',
    measure: { combine: 'days since', moment: 'registration' },
    scale: 'log1p',
    fill: 'median',
    drift: 'exempt',
  },
  {
    name: 'observed_days',
    label: 'Days observed',
    description: 'Days of log in which the user could have been seen: since its start, or since joining',
    unit: 'days',
    words: amountOf('day', 'days', 'of log'),
    group: 'tenure',
    measure: { combine: 'observed days' },
    scale: 'log1p',
    fill: 'median',
    drift: 'exempt',
    // 19 to 33 days in training are 61 in scoring: a model that reads it extrapolates.
    readBy: 'people',
  },
  {
    name: 'days_since_level_change',
    label: 'Days since change of level',
    description: 'Days from the last day with an upgrade or a downgrade to the cutoff',
    unit: 'days',
    words: amountOf('day', 'days', 'since the last change of level'),
    missing: 'never',
    group: 'subscription',
    measure: { combine: 'days since', moment: 'level_change' },
    scale: 'log1p',
    fill: 365,
    drift: 'exempt',
  },
];

const RETURNS: readonly Feature[] = [
  {
    name: 'spells_before',
    label: 'Cancellations before',
    description: 'How often the user had cancelled before the present spell began; 0 for most users',
    unit: 'cancellations',
    words: amountOf('cancellation', 'cancellations', 'before'),
    group: 'tenure',
    measure: { combine: 'sum', counter: 'ended_spells', window: 'ever' },
    scale: 'log1p',
    fill: 0,
    drift: 'exempt',
  },
  {
    name: 'days_since_return',
    label: 'Days since return',
    description:
      'Days from the first event after the last cancellation to the cutoff; missing if there was none',
    unit: 'days',
    words: amountOf('day', 'days', 'since the return'),
    missing: 'never',
    group: 'tenure',
    measure: { combine: 'days since', moment: 'return' },
    scale: 'log1p',
    fill: 365,
    drift: 'exempt',
  },
];

const INDICATORS: readonly Feature[] = [
  indicator('is_paid', 'Paid subscription', 'subscription', 'level', { kind: 'equals', value: 'paid' }),
  indicator('is_female', 'Registered as female', 'person', 'gender', { kind: 'equals', value: 'F' }, 0.5),
  ...REGIONS.map((region) =>
    indicator(`in_${region.name}`, `Lives in ${region.label}`, 'person', 'location', {
      kind: 'state in',
      states: region.states,
    }),
  ),
  indicator('on_windows', 'Uses Windows', 'device', 'user_agent', { kind: 'contains', texts: ['Windows'] }),
  indicator('on_mac', 'Uses a Mac', 'device', 'user_agent', { kind: 'contains', texts: ['Macintosh'] }),
  indicator('on_linux', 'Uses Linux', 'device', 'user_agent', {
    kind: 'contains',
    texts: ['Linux'],
    without: ['Android'],
  }),
  indicator('on_phone_or_tablet', 'Uses a phone or tablet', 'device', 'user_agent', {
    kind: 'contains',
    texts: ['iPhone', 'iPad', 'Android', 'Mobile'],
  }),
];

/** Every feature, in the order of the table's columns. */
export const FEATURES: readonly Feature[] = [
  ...FAMILIES,
  ...SINGLE,
  ...RETURNS,
  ...INDICATORS,
  ...CHANNEL_FEATURES,
];
