/** The shape of the behaviour tables. */
import type { Page } from '../domain/events.ts';
import type { StandingName } from './user-states.ts';

/**
 * Probabilities of the next page. The remaining probability goes to `rest`; `end` is the probability that the session ends.
 */
export type Follow = Readonly<Partial<Record<Page | 'end', number>> & { rest: Page | 'end' }>;

/** The next-page probabilities of each page, for one standing. */
export type Follows = Readonly<Partial<Record<Page, Follow>>>;

/** Standings in which a user moves between pages; a cancelled user does not. */
export type MovingStanding = Exclude<StandingName, 'cancelled free' | 'cancelled paid'>;
