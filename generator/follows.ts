/** The shape of the behaviour tables. */
import type { Page } from '../domain/events.ts';
import type { StandingName } from './user-states.ts';

/**
 * Probabilities of the page that follows. What they leave over goes to `rest`; what `end` holds ends the session.
 */
export type Follow = Readonly<Partial<Record<Page | 'end', number>> & { rest: Page | 'end' }>;

/** What follows each page, for one standing. */
export type Follows = Readonly<Partial<Record<Page, Follow>>>;

/** Standings in which a user moves about; a cancelled one does not. */
export type MovingStanding = Exclude<StandingName, 'cancelled free' | 'cancelled paid'>;
