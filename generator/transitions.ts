/** The behaviour tables, compiled to arrays of numbers for speed. */
import { PAGES } from '../domain/events.ts';
import { FIRST_PAGES, STANDING_CHANGES, TYPICAL_FOLLOWS } from './behaviour.ts';
import type { Changes, UserClass } from './classes.ts';
import type { Follow, MovingStanding } from './follows.ts';
import type { Random } from './random.ts';
import { STATES, type StandingName, stateNumber } from './user-states.ts';

/** Stands for "the session ends here". */
export const SESSION_END = -1;

/** A random choice of the next state, with the most likely first. */
class Choice {
  private readonly targets: Int32Array;
  private readonly cumulative: Float64Array;

  constructor(follow: Follow, targetStanding: StandingName) {
    const listed = [...PAGES, 'end' as const].map((target) => ({
      number: target === 'end' ? SESSION_END : stateNumber(targetStanding, target),
      probability: target === follow.rest ? 0 : (follow[target] ?? 0),
      isRest: target === follow.rest,
    }));
    const taken = listed.reduce((sum, { probability }) => sum + probability, 0);
    if (taken > 1) throw new RangeError(`probabilities add up to ${taken}`);
    const choices = listed
      .map((target) => (target.isRest ? { ...target, probability: 1 - taken } : target))
      .filter(({ probability }) => probability > 0)
      .sort((one, other) => other.probability - one.probability);
    let sum = 0;
    this.targets = Int32Array.from(choices, ({ number }) => number);
    this.cumulative = Float64Array.from(choices, ({ probability }) => {
      sum += probability;
      return sum;
    });
  }

  draw(random: Random): number {
    const place = random.fraction();
    const last = this.targets.length - 1;
    let index = 0;
    while (index < last && place >= (this.cumulative[index] ?? 1)) index++;
    return this.targets[index] ?? SESSION_END;
  }
}

/** The next states of every state, for users of one class. */
export class Transitions {
  private readonly next: readonly (Choice | undefined)[];
  private readonly first: ReadonlyMap<StandingName, Choice>;

  constructor(userClass: UserClass) {
    const changed = new Set(pathsOf(userClass.changes));
    this.next = STATES.map(({ standing, page }) => {
      if (!isMoving(standing)) return undefined;
      const follow = TYPICAL_FOLLOWS[standing][page];
      if (follow === undefined) return undefined;
      changed.delete(`${standing}/${page}`);
      const changes = userClass.changes[standing]?.[page];
      return new Choice({ ...follow, ...changes }, STANDING_CHANGES[standing]?.[page] ?? standing);
    });
    if (changed.size > 0)
      throw new RangeError(`class ${userClass.name} changes entries that do not exist: ${[...changed]}`);
    this.first = new Map(
      Object.entries(FIRST_PAGES).flatMap(([standing, follow]) =>
        isMoving(standing) ? [[standing, new Choice(follow, standing)]] : [],
      ),
    );
  }

  /** The next state, or SESSION_END. */
  after(state: number, random: Random): number {
    return this.next[state]?.draw(random) ?? SESSION_END;
  }

  /** The first state of a session. */
  atStart(standing: StandingName, random: Random): number {
    const choice = this.first.get(standing);
    if (choice === undefined) throw new RangeError(`a session cannot start as ${standing}`);
    return choice.draw(random);
  }
}

function isMoving(standing: string): standing is MovingStanding {
  return standing in TYPICAL_FOLLOWS;
}

function pathsOf(changes: Changes): string[] {
  return Object.entries(changes).flatMap(([standing, pages]) =>
    Object.keys(pages).map((page) => `${standing}/${page}`),
  );
}
