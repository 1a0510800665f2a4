import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { betaIncomplete } from '../../domain/beta.ts';
import { expectedMaximumProfit } from '../../domain/empc.ts';
import {
  ACCEPTANCE_WEIGHT,
  bestPoint,
  breakEven,
  DEFAULT_TERMS,
  listOf,
  profitCurve,
  profitOfContact,
  profitOfContacts,
  type Terms,
  valueSql,
} from '../../domain/money.ts';
import { seeded } from '../support/seeded.ts';

/** 1,000 users in bins of 10, the most probable first. */
const bins = Array.from({ length: 100 }, (_, bin) => ({
  users: 10,
  expected: 10 * 0.6 * (1 - bin / 100) ** 3,
}));

describe('what a contact is worth', () => {
  it('breaks even at .164 by the published terms', () => {
    expect(breakEven(DEFAULT_TERMS)).toBeCloseTo(11 / 67, 12);
    expect(profitOfContact(breakEven(DEFAULT_TERMS), DEFAULT_TERMS)).toBeCloseTo(0, 12);
  });

  it('is the formula of the protocol', () => {
    const [p, { customerValue, offerCost, contactCost, acceptance }] = [0.4, DEFAULT_TERMS];
    const formula =
      p * (acceptance * (customerValue - offerCost) - contactCost) - (1 - p) * (offerCost + contactCost);
    expect(profitOfContact(p, DEFAULT_TERMS)).toBeCloseTo(formula, 12);
  });

  it('never pays when the offer costs what it saves and more', () => {
    expect(breakEven({ ...DEFAULT_TERMS, acceptance: 0, offerCost: 0 })).toBe(Number.POSITIVE_INFINITY);
    expect(listOf(bins, { ...DEFAULT_TERMS, acceptance: 0 })).toEqual({
      users: 0,
      cancelling: 0,
      profit: -0,
    });
  });
});

describe('the list', () => {
  it('is where the profit curve is highest', () => {
    const list = listOf(bins, DEFAULT_TERMS);
    const best = bestPoint(profitCurve(bins, DEFAULT_TERMS));
    expect(list.users).toBe(best.users);
    expect(list.profit).toBeCloseTo(best.profit, 9);
    expect(list.profit).toBeCloseTo(profitOfContacts(list.users, list.cancelling, DEFAULT_TERMS), 9);
  });

  it('grows when the offer is cheaper, and when more people accept it', () => {
    const users = (terms: Partial<Terms>): number => listOf(bins, { ...DEFAULT_TERMS, ...terms }).users;
    expect(users({ offerCost: 5 })).toBeGreaterThan(users({}));
    expect(users({ acceptance: 0.5 })).toBeGreaterThan(users({}));
    expect(users({ contactCost: 5 })).toBeLessThan(users({}));
    expect(users({ customerValue: 100 })).toBeLessThan(users({}));
  });
});

describe('the expected maximum profit', () => {
  /** By the midpoint rule over the acceptance, with the density itself. */
  function integrated(terms: Terms): number {
    const [alpha, steps] = [terms.acceptance * ACCEPTANCE_WEIGHT, 20_000];
    const beta = ACCEPTANCE_WEIGHT - alpha;
    const density = (x: number): number => x ** (alpha - 1) * (1 - x) ** (beta - 1);
    let [weighted, mass] = [0, 0];
    for (let step = 0; step < steps; step += 1) {
      const acceptance = (step + 0.5) / steps;
      mass += density(acceptance);
      weighted += density(acceptance) * bestPoint(profitCurve(bins, { ...terms, acceptance })).profit;
    }
    return weighted / mass / 1_000;
  }

  it.each([DEFAULT_TERMS, { ...DEFAULT_TERMS, acceptance: 0.5, offerCost: 30 }])(
    'equals an integral: %o',
    (terms) => {
      expect(Math.abs(expectedMaximumProfit(bins, terms) - integrated(terms))).toBeLessThan(1e-3);
    },
  );

  it('is that of the best point when the acceptance is certain, and 0 without users', () => {
    const nobody = { ...DEFAULT_TERMS, acceptance: 0 };
    expect(expectedMaximumProfit(bins, nobody)).toBe(0);
    expect(expectedMaximumProfit([], DEFAULT_TERMS)).toBe(0);
  });

  it('uses a beta distribution that is right at known places', () => {
    expect(betaIncomplete(0.5, 3, 3)).toBeCloseTo(0.5, 12);
    expect(betaIncomplete(0.3, 1, 1)).toBeCloseTo(0.3, 12);
    // 1 - (1 - x)^b for a = 1
    expect(betaIncomplete(0.2, 1, 14)).toBeCloseTo(1 - 0.8 ** 14, 12);
  });
});

describe('the value in SQL', () => {
  it.each([DEFAULT_TERMS, { customerValue: 37.5, offerCost: 0.1, contactCost: 0.25, acceptance: 0.7 }])(
    'is bit for bit that of the module: %o',
    async (terms) => {
      const probabilities = Array.from({ length: 500 }, (_, index) => ((index * 7_919) % 10_007) / 10_007);
      const literal = (value: number): string => `CAST('${value}' AS DOUBLE)`;
      const sql = valueSql('p', {
        customerValue: literal(terms.customerValue),
        offerCost: literal(terms.offerCost),
        contactCost: literal(terms.contactCost),
        acceptance: literal(terms.acceptance),
      });
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      const rows = probabilities.map((p) => `(${literal(p)})`).join(', ');
      const answer = await connection.runAndReadAll(`SELECT ${sql} AS value FROM (VALUES ${rows}) AS t(p)`);
      connection.closeSync();
      expect(answer.getRowObjects().map(({ value }) => value)).toEqual(
        probabilities.map((p) => profitOfContact(p, terms)),
      );
    },
  );
});

describe('the band of the profit curve', () => {
  it('covers the profit in 95 of 100 draws, where the probabilities are right', () => {
    const random = seeded(5);
    const wanted = profitCurve(bins, DEFAULT_TERMS)[25];
    if (wanted === undefined) throw new Error('the curve is too short');
    let inside = 0;
    for (let draw = 0; draw < 2_000; draw += 1) {
      let cancelling = 0;
      for (const { users, expected } of bins.slice(0, 25))
        for (let user = 0; user < users; user += 1)
          if (random(1_000_000) / 1_000_000 < expected / users) cancelling += 1;
      const profit = profitOfContacts(250, cancelling, DEFAULT_TERMS);
      if (profit >= wanted.low && profit <= wanted.high) inside += 1;
    }
    expect(inside / 2_000).toBeGreaterThan(0.93);
    expect(inside / 2_000).toBeLessThan(0.97);
  });

  it('has no width where the outcome is certain, and none around nobody', () => {
    const certain = profitCurve([{ users: 10, expected: 10 }], DEFAULT_TERMS);
    for (const { low, profit, high } of certain) expect([low, high]).toEqual([profit, profit]);
  });
});
