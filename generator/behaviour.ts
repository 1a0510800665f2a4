/**
 * How users move from page to page: the numbers behind every row of a generated log.
 * They were fitted to the published logs. Given class and level, a user's behaviour is memoryless: nothing declines
 * before a cancellation, which is simply reached through pages (Settings, Thumbs Down, Roll Advert, Downgrade) that
 * some classes visit more often.
 */
import type { Page } from '../domain/events.ts';
import { SIGNED_IN_FREE } from './behaviour-free.ts';
import { SIGNED_IN_PAID } from './behaviour-paid.ts';
import { GUEST, SIGNED_OUT_FREE, SIGNED_OUT_PAID } from './behaviour-signed-out.ts';
import type { Follow, Follows, MovingStanding } from './follows.ts';
import type { StandingName } from './user-states.ts';

/** Behaviour of most users. Classes change single entries of it. */
export const TYPICAL_FOLLOWS: Readonly<Record<MovingStanding, Follows>> = {
  'signed in free': SIGNED_IN_FREE,
  'signed in paid': SIGNED_IN_PAID,
  'signed out free': SIGNED_OUT_FREE,
  'signed out paid': SIGNED_OUT_PAID,
  guest: GUEST,
};

const SIGNED_IN_START: Follow = { Home: 0.38, Help: 0.0025, About: 0.0015, Error: 0.0007, rest: 'NextSong' };

/** The first page of a session. */
export const FIRST_PAGES: Readonly<Record<MovingStanding, Follow>> = {
  'signed in free': SIGNED_IN_START,
  'signed in paid': SIGNED_IN_START,
  'signed out free': { Login: 0.42, Help: 0.006, About: 0.005, rest: 'Home' },
  'signed out paid': { Login: 0.34, Help: 0.009, About: 0.0065, rest: 'Home' },
  guest: { Register: 0.28, About: 0.1, Help: 0.1, Error: 0.03, rest: 'Home' },
};

/** Pages that change a user's standing from the next page on. */
export const STANDING_CHANGES: Readonly<Partial<Record<StandingName, Partial<Record<Page, StandingName>>>>> =
  {
    'signed in free': {
      Logout: 'signed out free',
      'Submit Upgrade': 'signed in paid',
      Cancel: 'cancelled free',
    },
    'signed in paid': {
      Logout: 'signed out paid',
      'Submit Downgrade': 'signed in free',
      Cancel: 'cancelled paid',
    },
    'signed out free': { Login: 'signed in free' },
    'signed out paid': { Login: 'signed in paid' },
    guest: { 'Submit Registration': 'signed in free' },
  };
