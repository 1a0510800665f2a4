/** The effect of a campaign by intention to treat: against published figures, and by simulation. */
import { describe, expect, it } from 'vitest';
import { type Arm, campaignEffect, isFound, powerOf, smallestEffect } from '../../domain/campaign-effect.ts';
import { seeded } from '../support/seeded.ts';

const DRAWS = 4_000;
const random = seeded(16);
const uniform = (): number => (random(1_000_000_000) + 0.5) / 1_000_000_000;

/** Of so many users, those who cancel with that chance each: from one of them to the next by geometric steps. */
function drawn(users: number, chance: number): Arm {
  let cancelled = 0;
  for (let user = -1; ; cancelled += 1) {
    user += 1 + Math.floor(Math.log(uniform()) / Math.log1p(-chance));
    if (user >= users) return { users, cancelled };
  }
}

/** Share of simulated campaigns of which an effect is found; `saved` of all users are kept by contacting them. */
function shareFound(list: number, control: number, chance: number, saved: number): number {
  let found = 0;
  for (let draw = 0; draw < DRAWS; draw += 1) {
    const effect = campaignEffect(drawn(list, chance - saved), drawn(control, chance));
    if (effect !== undefined && isFound(effect)) found += 1;
  }
  return found / DRAWS;
}

/** List, control group and share that cancels: about 2,500, 7,000, 20,000 and 80,000 users with a tenth as control group. */
const SIZES = [
  [300, 33, 0.27],
  [900, 100, 0.25],
  [2_400, 270, 0.25],
  [9_000, 1_000, 0.2],
] as const;
/** Three standard errors of a share of so many draws. */
const margin = (share: number): number => 3 * Math.sqrt((share * (1 - share)) / DRAWS) + 0.01;

describe('the effect of contacting', () => {
  it('is the difference of two shares with the interval of Newcombe, method 10', () => {
    // The examples (a) 56/70 - 48/80 and (e) 5/56 - 0/29 of Newcombe 1998, Table II.
    const a = campaignEffect({ users: 80, cancelled: 48 }, { users: 70, cancelled: 56 });
    expect([a?.value, a?.low, a?.high].map((value) => value?.toFixed(4))).toEqual([
      '0.2000',
      '0.0524',
      '0.3339',
    ]);
    const e = campaignEffect({ users: 29, cancelled: 0 }, { users: 56, cancelled: 5 });
    expect([e?.low, e?.high].map((value) => value?.toFixed(4))).toEqual(['-0.0381', '0.1926']);
  });

  it('has no value where there is nobody to compare the list with', () => {
    expect(campaignEffect({ users: 10, cancelled: 1 }, { users: 0, cancelled: 0 })).toBeUndefined();
    expect(campaignEffect({ users: 0, cancelled: 0 }, { users: 10, cancelled: 1 })).toBeUndefined();
  });

  it.each(SIZES)(
    'is found in 5 %% of the cases where there is none: %i against %i users',
    (list, control, chance) => {
      expect(Math.abs(shareFound(list, control, chance, 0) - 0.05)).toBeLessThan(margin(0.05));
    },
  );

  it.each(SIZES)('of 30 %% is found as often as stated: %i against %i users', (list, control, chance) => {
    const stated = powerOf(chance, 0.3 * chance, list, control);
    expect(Math.abs(shareFound(list, control, chance, 0.3 * chance) - stated)).toBeLessThan(margin(stated));
  });

  it.each(SIZES)(
    'of the smallest size is found in 80 %% of the cases: %i against %i users',
    (list, control, chance) => {
      const smallest = smallestEffect(chance, list, control) ?? 0;
      expect(smallest).toBeGreaterThan(0);
      expect(Math.abs(shareFound(list, control, chance, smallest) - 0.8)).toBeLessThan(margin(0.8));
    },
  );

  it('has no smallest size where not even keeping everyone would be found', () => {
    expect(smallestEffect(0.02, 90, 10)).toBeNull();
    expect(smallestEffect(0, 900, 100)).toBeNull();
    expect(smallestEffect(0.2, 0, 100)).toBeNull();
  });
});
