/** The states of a user: a page, an authentication state and a level. Each state has a small number. */
import { type Auth, type Level, PAGES, type Page } from '../domain/events.ts';

/** A user's authentication state and level. */
export interface Standing {
  readonly auth: Auth;
  readonly level: Level;
}

const STANDING_NAMES = [
  'signed in free',
  'signed in paid',
  'signed out free',
  'signed out paid',
  'guest',
  'cancelled free',
  'cancelled paid',
] as const;
export type StandingName = (typeof STANDING_NAMES)[number];

const STANDINGS: Readonly<Record<StandingName, Standing>> = {
  'signed in free': { auth: 'Logged In', level: 'free' },
  'signed in paid': { auth: 'Logged In', level: 'paid' },
  'signed out free': { auth: 'Logged Out', level: 'free' },
  'signed out paid': { auth: 'Logged Out', level: 'paid' },
  guest: { auth: 'Guest', level: 'free' },
  'cancelled free': { auth: 'Cancelled', level: 'free' },
  'cancelled paid': { auth: 'Cancelled', level: 'paid' },
};

/** The fields of a row that follow from its state. */
export interface StateFacts extends Standing {
  readonly page: Page;
  readonly standing: StandingName;
  readonly method: 'GET' | 'PUT';
  readonly status: 200 | 307 | 404;
}

/** Pages that redirect the browser to the next page. */
const REDIRECTING: readonly Page[] = [
  'Thumbs Up',
  'Thumbs Down',
  'Add Friend',
  'Login',
  'Logout',
  'Submit Upgrade',
  'Submit Downgrade',
  'Submit Registration',
  'Save Settings',
  'Cancel',
];
/** Pages that are requested with PUT. */
const SENT: readonly Page[] = [...REDIRECTING, 'NextSong', 'Add to Playlist'];

function statusOf(page: Page): StateFacts['status'] {
  if (page === 'Error') return 404;
  return REDIRECTING.includes(page) ? 307 : 200;
}

/** All states; a state's number is its index in this list. */
export const STATES: readonly StateFacts[] = STANDING_NAMES.flatMap((standing) =>
  PAGES.map(
    (page): StateFacts => ({
      page,
      standing,
      ...STANDINGS[standing],
      method: SENT.includes(page) ? 'PUT' : 'GET',
      status: statusOf(page),
    }),
  ),
);

/** The number of a state. */
export function stateNumber(standing: StandingName, page: Page): number {
  return STANDING_NAMES.indexOf(standing) * PAGES.length + PAGES.indexOf(page);
}
