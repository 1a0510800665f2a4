/** The living users by probability, as money is computed from them. Pure functions. */
import type { UserBin } from './money.ts';
import type { ScoringResult } from './results.ts';

/** Living users outside the control group, the most probable first. Older results know only the first of them. */
export function livingBins({ probabilities, top }: ScoringResult): readonly UserBin[] {
  if (probabilities === undefined) {
    return top
      .filter(({ inControlGroup }) => !inControlGroup)
      .flatMap(({ probability }) => (probability === null ? [] : [{ users: 1, expected: probability }]));
  }
  return probabilities
    .filter(({ users }) => users > 0)
    .toSorted((a, b) => b.bin - a.bin)
    .map(({ users, expected }) => ({ users, expected }));
}
