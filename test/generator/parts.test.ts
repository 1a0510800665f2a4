import { describe, expect, it } from 'vitest';
import { SECONDS_PER_DAY } from '../../domain/events.ts';
import { AliasTable } from '../../generator/alias-table.ts';
import { Calendar } from '../../generator/calendar.ts';
import { USER_CLASSES } from '../../generator/classes.ts';
import { DayEvents } from '../../generator/day-events.ts';
import { Population } from '../../generator/population.ts';
import { Random } from '../../generator/random.ts';
import { Transitions } from '../../generator/transitions.ts';
import { STATES } from '../../generator/user-states.ts';

const START_SECOND = Date.parse('2018-10-01T00:00:00Z') / 1_000;

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

describe('a stream of random numbers', () => {
  it('differs by seed, purpose and index, however large the seed', () => {
    const firsts = [
      new Random(1, 'user', 0),
      new Random(2, 'user', 0),
      new Random(1, 'song', 0),
      new Random(1, 'user', 1),
      new Random(-1, 'user', 0),
      new Random(2 ** 40 + 1, 'user', 0),
    ].map((random) => random.integer());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('is uniform and independent of neighbouring streams', () => {
    const random = new Random(1, 'user', 0);
    expect(mean(times(20_000, () => random.fraction()))).toBeCloseTo(0.5, 1.7);
    expect(mean(times(20_000, (index) => new Random(1, 'user', index).fraction()))).toBeCloseTo(0.5, 1.7);
  });

  it('gives exponential and normal numbers with the right mean and variance', () => {
    const random = new Random(1, 'user', 0);
    expect(mean(times(20_000, () => random.exponential(90))) / 90).toBeCloseTo(1, 1.3);
    const normals = times(20_000, () => random.normal());
    expect(mean(normals)).toBeCloseTo(0, 1.3);
    expect(mean(normals.map((number) => number ** 2))).toBeCloseTo(1, 1.3);
  });
});

describe('an alias table', () => {
  it('draws in proportion to the weights, and never an index with weight 0', () => {
    const table = new AliasTable([5, 0, 3, 2]);
    const random = new Random(1, 'user', 0);
    const counts = [0, 0, 0, 0];
    for (const drawn of times(50_000, () => table.draw(random))) counts[drawn] = (counts[drawn] ?? 0) + 1;
    expect(counts.map((count) => count / 50_000)).toEqual(
      [0.5, 0, 0.3, 0.2].map((share) => expect.closeTo(share, 2)),
    );
  });
});

describe('the calendar of session starts', () => {
  const calendar = new Calendar(START_SECOND, 28);

  it('advances busy time as fast as the clock over whole weeks', () => {
    expect(calendar.after(0, 7 * SECONDS_PER_DAY)).toBeCloseTo(7 * SECONDS_PER_DAY, -1);
    expect(calendar.after(40_000, 14 * SECONDS_PER_DAY)).toBeCloseTo(40_000 + 14 * SECONDS_PER_DAY, -1);
  });

  it('makes waits shorter in the afternoon than at night', () => {
    const [afternoon, night] = [14 * 3_600, 2 * 3_600];
    expect(calendar.after(afternoon, 1_000) - afternoon).toBeLessThan(
      0.5 * (calendar.after(night, 1_000) - night),
    );
  });

  it('returns Infinity after the end of the log', () => {
    expect(calendar.after(0, 28 * SECONDS_PER_DAY)).toBe(Number.POSITIVE_INFINITY);
    expect(calendar.after(40 * SECONDS_PER_DAY, 1)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the behaviour tables', () => {
  it('are valid for every user class', () => {
    for (const userClass of USER_CLASSES) expect(() => new Transitions(userClass)).not.toThrow();
    expect(USER_CLASSES.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  it('refuse a user class that changes entries that do not exist', () => {
    const changes = { guest: { Downgrade: { Home: 1 } } };
    expect(() => new Transitions({ name: 'happy', share: 1, paidAtStart: 0, changes })).toThrow(
      /guest\/Downgrade/,
    );
  });

  it('refuse probabilities that add up to more than 1', () => {
    const changes = { guest: { Home: { Help: 2 } } };
    expect(() => new Transitions({ name: 'happy', share: 1, paidAtStart: 0, changes })).toThrow(/add up/);
  });
});

describe('the events of a day', () => {
  it('are returned ordered by time and, within a second, as added, even beyond the initial capacity', () => {
    const events = new DayEvents();
    const random = new Random(1, 'user', 0);
    for (const item of times(40_000, (index) => index)) events.add(random.below(600), 1, 2, item, 3, -1);
    const back = [...events.inOrder()].length;
    const pairs: number[] = [];
    for (const { second, item } of events.inOrder()) pairs.push(second * 100_000 + item);
    expect(back).toBe(40_000);
    expect(pairs).toEqual(pairs.toSorted((one, other) => one - other));
    events.clear();
    expect(events.size).toBe(0);
  });
});

describe('the generated population', () => {
  it('gives no user a pseudo-user id', () => {
    const population = new Population(1, START_SECOND);
    const ids = times(4, (index) => population.draw(1_261_733 + index).person.userId);
    expect(ids).toEqual([1_261_735, 1_261_736, 1_261_738, 1_261_739]);
  });
});

describe('the states of a user', () => {
  it('fit into a byte, as the columns of a day store them', () => {
    expect(STATES.length).toBeLessThan(256);
  });
});
