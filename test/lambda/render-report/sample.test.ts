/** The answer to whether a sample of the users is enough, in one sentence. */
import { describe, expect, it } from 'vitest';
import type { SampleComparison } from '../../../domain/results.ts';
import { sampleAnswer } from '../../../lambda/render-report/sections/sample.ts';
import { COMPARISONS, difference, HOMOGENEITY } from '../../support/homogeneity-fixture.ts';

const [ONE_PERCENT, MEDIUM] = COMPARISONS;
const answer = (users: number, ...samples: readonly SampleComparison[]): string =>
  sampleAnswer({ users, samples: [...samples] });

describe('the answer to whether a sample is enough', () => {
  it('is yes where no feature differs and a medium distance would have been found', () => {
    expect(sampleAnswer(HOMOGENEITY)).toBe(
      'Yes, to describe the users: 200 users (1%) differ from the other 19,800 in none of 6 features, and a distance of 0.18 would have been found with a probability of 80%; 449 users (2.2%) differ from the other 19,551 in none of 6 features, and a distance of 0.12 would have been found with a probability of 80%.',
    );
  });

  it('is no where a feature differs, and names the one that differs most', () => {
    const differences = [
      difference('songs_per_day', { distance: 0.21, adjusted: 0.001 }),
      difference('is_paid', { distance: 0.14, adjusted: 0.0499 }),
      difference('tenure_days', { distance: 0.4, adjusted: 0.05 }),
    ];
    expect(answer(20_000, { ...MEDIUM, differences })).toBe(
      'No: 449 users (2.2%) differ from the other 19,551 in 2 of 3 features, the most in "Songs per day" (by 0.21).',
    );
  });

  it('is open where only a large distance, or none, would have been found', () => {
    const small = {
      ...ONE_PERCENT,
      users: 25,
      others: 2_475,
      differences: [difference('tenure_days', { smallestFound: 0.49 })],
    };
    expect(answer(2_500, small)).toBe(
      'This cannot be said: 25 users (1%) differ from the other 2,475 in none of 1 features, but only a distance of 0.49 would have been found with a probability of 80%.',
    );
    const blind = { ...small, differences: [difference('tenure_days', { smallestFound: null })] };
    expect(answer(2_500, blind)).toContain('but hardly any distance would have been found');
  });

  it('is said of the larger sample alone where only that is sure', () => {
    const small = {
      ...ONE_PERCENT,
      users: 50,
      others: 4_950,
      differences: [difference('tenure_days', { smallestFound: 0.34 })],
    };
    expect(answer(5_000, small, MEDIUM)).toMatch(/^The larger one is, to describe the users: 50 users/);
  });

  it('says why a sample was not tested', () => {
    const untested = { others: 0, cancelled: 0, differences: [] };
    expect(answer(225, { ...ONE_PERCENT, ...untested, users: 2 }, { ...MEDIUM, ...untested })).toBe(
      'This was not tested: 2 users are too few to compare; 449 users are more than a tenth of all 225.',
    );
  });
});
