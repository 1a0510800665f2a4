/**
 * How users move from page to page: the numbers behind every row of a generated log.
 * They were fitted to the published logs. A user behaves memorylessly, given class and level: nothing declines before
 * a cancellation; it is merely reached through pages (Settings, Thumbs Down, Roll Advert, Downgrade) that some
 * classes touch more often.
 */
import type { Page } from '../../lib/domain/events.ts';
import type { StandingName } from './states.ts';

/**
 * Probabilities of the page that follows. What they leave over goes to `rest`; what `end` holds ends the session.
 */
export type Follow = Readonly<Partial<Record<Page | 'end', number>> & { rest: Page | 'end' }>;

/** What follows each page, for one standing. */
export type Follows = Readonly<Partial<Record<Page, Follow>>>;

/** Standings in which a user moves about; a cancelled one does not. */
export type MovingStanding = Exclude<StandingName, 'cancelled free' | 'cancelled paid'>;

const SIGNED_IN_FREE: Follows = {
  NextSong: {
    'Roll Advert': 0.08,
    'Thumbs Up': 0.05,
    'Add to Playlist': 0.025,
    Home: 0.02,
    Logout: 0.02,
    'Thumbs Down': 0.01,
    'Add Friend': 0.01,
    Upgrade: 0.01,
    Help: 0.005,
    Settings: 0.005,
    About: 0.002,
    Error: 0.001,
    end: 0.0115,
    rest: 'NextSong',
  },
  Home: {
    'Add Friend': 0.0525,
    end: 0.049,
    Settings: 0.02,
    Logout: 0.0105,
    Home: 0.0095,
    Upgrade: 0.006,
    About: 0.0023,
    Help: 0.002,
    Error: 0.001,
    rest: 'NextSong',
  },
  'Roll Advert': {
    end: 0.069,
    'Roll Advert': 0.02,
    Logout: 0.0105,
    Cancel: 0.001,
    Error: 0.001,
    rest: 'NextSong',
  },
  'Thumbs Up': { 'Add to Playlist': 0.052, end: 0.039, Upgrade: 0.01, Error: 0.001, rest: 'NextSong' },
  'Thumbs Down': { end: 0.084, Logout: 0.0115, Cancel: 0.001, Error: 0.0015, rest: 'NextSong' },
  'Add to Playlist': { end: 0.0195, 'Thumbs Up': 0.012, Upgrade: 0.01, Help: 0.01, rest: 'NextSong' },
  'Add Friend': {
    'Add Friend': 0.3,
    Home: 0.098,
    Settings: 0.0475,
    Help: 0.0105,
    About: 0.009,
    Upgrade: 0.009,
    Logout: 0.01,
    end: 0.01,
    Error: 0.001,
    rest: 'NextSong',
  },
  Upgrade: {
    'Submit Upgrade': 0.3,
    Home: 0.107,
    Upgrade: 0.065,
    'Add Friend': 0.0475,
    end: 0.012,
    Logout: 0.009,
    Help: 0.0065,
    About: 0.0035,
    Error: 0.001,
    rest: 'NextSong',
  },
  Settings: {
    'Save Settings': 0.205,
    Settings: 0.1,
    Home: 0.1,
    Help: 0.048,
    'Add Friend': 0.0205,
    Logout: 0.0105,
    end: 0.006,
    Cancel: 0.005,
    Upgrade: 0.0045,
    About: 0.001,
    Error: 0.001,
    rest: 'NextSong',
  },
  'Save Settings': { end: 0.105, Settings: 0.1, Error: 0.002, rest: 'Home' },
  Help: {
    Home: 0.198,
    Help: 0.108,
    end: 0.084,
    Settings: 0.051,
    'Add Friend': 0.047,
    Logout: 0.01,
    Upgrade: 0.005,
    About: 0.003,
    Error: 0.001,
    rest: 'NextSong',
  },
  About: {
    Home: 0.21,
    end: 0.069,
    About: 0.055,
    'Add Friend': 0.05,
    Settings: 0.011,
    Logout: 0.01,
    Help: 0.007,
    Error: 0.003,
    rest: 'NextSong',
  },
  Error: { Home: 0.2, Logout: 0.033, end: 0.01, Error: 0.005, Help: 0.005, rest: 'NextSong' },
  Logout: { Error: 0.001, rest: 'Home' },
  'Submit Upgrade': { rest: 'Home' },
  Cancel: { rest: 'Cancellation Confirmation' },
};

const SIGNED_IN_PAID: Follows = {
  NextSong: {
    'Thumbs Up': 0.05,
    'Add to Playlist': 0.025,
    Home: 0.02,
    Logout: 0.01,
    'Add Friend': 0.01,
    Downgrade: 0.01,
    'Thumbs Down': 0.01,
    Help: 0.005,
    Settings: 0.005,
    About: 0.002,
    'Roll Advert': 0.001,
    Error: 0.001,
    end: 0.0011,
    rest: 'NextSong',
  },
  Home: {
    end: 0.05,
    'Add Friend': 0.0495,
    Settings: 0.0195,
    Home: 0.01,
    Logout: 0.0098,
    Downgrade: 0.0047,
    Help: 0.002,
    About: 0.002,
    Error: 0.001,
    rest: 'NextSong',
  },
  'Roll Advert': {
    Logout: 0.108,
    Downgrade: 0.05,
    end: 0.024,
    'Roll Advert': 0.017,
    Cancel: 0.006,
    rest: 'NextSong',
  },
  'Thumbs Up': { 'Add to Playlist': 0.07, end: 0.0297, Error: 0.001, rest: 'NextSong' },
  'Thumbs Down': {
    Help: 0.029,
    Logout: 0.0206,
    Downgrade: 0.0195,
    Settings: 0.019,
    end: 0.0092,
    Cancel: 0.001,
    Error: 0.001,
    rest: 'NextSong',
  },
  'Add to Playlist': { end: 0.0405, 'Thumbs Up': 0.01, rest: 'NextSong' },
  'Add Friend': { 'Add Friend': 0.304, end: 0.0385, Logout: 0.0098, Error: 0.0012, rest: 'NextSong' },
  Downgrade: {
    Home: 0.098,
    Logout: 0.095,
    Downgrade: 0.0715,
    end: 0.0335,
    'Submit Downgrade': 0.0295,
    Cancel: 0.0095,
    Help: 0.006,
    About: 0.002,
    Error: 0.001,
    rest: 'NextSong',
  },
  Settings: {
    'Save Settings': 0.1985,
    Help: 0.051,
    Settings: 0.0495,
    Home: 0.05,
    'Add Friend': 0.0185,
    Logout: 0.0098,
    Downgrade: 0.009,
    Cancel: 0.005,
    end: 0.002,
    About: 0.002,
    Error: 0.001,
    rest: 'NextSong',
  },
  'Save Settings': { Settings: 0.105, end: 0.094, Error: 0.001, rest: 'Home' },
  Help: {
    Home: 0.1,
    end: 0.041,
    'Add Friend': 0.04,
    Help: 0.031,
    Settings: 0.02,
    Logout: 0.0075,
    Downgrade: 0.005,
    About: 0.002,
    Error: 0.001,
    rest: 'NextSong',
  },
  About: {
    end: 0.267,
    Home: 0.198,
    About: 0.0525,
    'Add Friend': 0.0475,
    Settings: 0.012,
    Logout: 0.011,
    Help: 0.0105,
    Error: 0.0005,
    rest: 'NextSong',
  },
  Error: { Home: 0.208, end: 0.0195, Logout: 0.009, Help: 0.0085, rest: 'NextSong' },
  Logout: { Error: 0.001, rest: 'Home' },
  'Submit Downgrade': { rest: 'Home' },
  Cancel: { rest: 'Cancellation Confirmation' },
};

const SIGNED_OUT_FREE: Follows = {
  Home: { end: 0.208, About: 0.1, Home: 0.0985, Help: 0.049, Error: 0.001, rest: 'Login' },
  About: { Home: 0.302, end: 0.185, About: 0.05, Help: 0.027, rest: 'Login' },
  Help: { Home: 0.285, Help: 0.1, end: 0.07, rest: 'Login' },
  Error: { Login: 0.15, end: 0.25, Help: 0.1, rest: 'Home' },
  Login: { Error: 0.001, rest: 'Home' },
};

const SIGNED_OUT_PAID: Follows = {
  Home: { Home: 0.15, About: 0.0945, end: 0.0485, Help: 0.0495, Error: 0.001, rest: 'Login' },
  About: { Home: 0.297, end: 0.097, About: 0.05, Help: 0.0465, Error: 0.002, rest: 'Login' },
  Help: { Home: 0.305, Help: 0.1, end: 0.084, rest: 'Login' },
  Error: { Login: 0.18, end: 0.02, Help: 0.06, rest: 'Home' },
  Login: { Error: 0.001, rest: 'Home' },
};

const GUEST: Follows = {
  Home: { Help: 0.22, About: 0.22, Home: 0.06, Error: 0.01, end: 0.2, rest: 'Register' },
  About: { About: 0.04, Help: 0.07, Register: 0.07, end: 0.1, rest: 'Home' },
  Help: { Register: 0.2, About: 0.05, Help: 0.06, end: 0.07, rest: 'Home' },
  Register: { Home: 0.17, About: 0.08, Help: 0.06, Register: 0.05, end: 0.03, rest: 'Submit Registration' },
  Error: { end: 0.2, rest: 'Home' },
  'Submit Registration': { rest: 'Home' },
};

/** What most users do. Classes change single entries of it. */
export const TYPICAL_FOLLOWS: Readonly<Record<MovingStanding, Follows>> = {
  'signed in free': SIGNED_IN_FREE,
  'signed in paid': SIGNED_IN_PAID,
  'signed out free': SIGNED_OUT_FREE,
  'signed out paid': SIGNED_OUT_PAID,
  guest: GUEST,
};

const SIGNED_IN_START: Follow = { Home: 0.38, Help: 0.0025, About: 0.0015, Error: 0.0007, rest: 'NextSong' };

/** The page a session begins with. */
export const FIRST_PAGES: Readonly<Record<MovingStanding, Follow>> = {
  'signed in free': SIGNED_IN_START,
  'signed in paid': SIGNED_IN_START,
  'signed out free': { Login: 0.42, Help: 0.006, About: 0.005, rest: 'Home' },
  'signed out paid': { Login: 0.34, Help: 0.009, About: 0.0065, rest: 'Home' },
  guest: { Register: 0.28, About: 0.1, Help: 0.1, Error: 0.03, rest: 'Home' },
};

/** Pages that change the standing of whoever goes on from them. */
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
