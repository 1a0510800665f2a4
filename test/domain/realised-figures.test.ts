/** Figures of scores whose outcome is known: against scikit-learn, and intervals that hold what they promise. */
import { describe, expect, it } from 'vitest';
import { realisedFigures } from '../../domain/realised-figures.ts';

const SCORES = [
  0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.02, 0.02, 0.01, 0,
];
const CANCELLED = [0, 1, 4, 9];
const USERS = SCORES.map((score, index) => ({
  score,
  probability: score,
  cancelled: CANCELLED.includes(index),
}));

describe('the figures of realised scores', () => {
  it('are those of scikit-learn, with ties, in whatever order the users come', () => {
    for (const users of [USERS, USERS.toReversed()]) {
      const { auc, averagePrecisionRatio, liftAt10, ...counts } = realisedFigures(users);
      // roc_auc_score and average_precision_score / base rate of scikit-learn 1.7.
      expect(auc?.value).toBeCloseTo(0.8515625, 12);
      expect(averagePrecisionRatio?.value).toBeCloseTo(3.119047619047619, 12);
      // Two of twenty users: the first, and half of the two that are tied after it.
      expect(liftAt10?.value).toBeCloseTo((1 + 0.5) / 4 / 0.1, 12);
      expect(counts).toMatchObject({ users: 20, cancelled: 4 });
    }
  });

  it('compare what was predicted with what came, by the exact interval of a count', () => {
    const { predictedObserved } = realisedFigures(USERS);
    const predicted = SCORES.reduce((sum, score) => sum + score, 0);
    expect(predictedObserved?.predicted).toBeCloseTo(predicted, 12);
    expect(predictedObserved?.value).toBeCloseTo(predicted / 4, 12);
    // The exact interval of a mean of which 4 came is 1.0899 to 10.2416.
    expect(predictedObserved?.low).toBeCloseTo(predicted / 10.2416, 4);
    expect(predictedObserved?.high).toBeCloseTo(predicted / 1.0899, 3);
  });

  it('have intervals as wide as theory says', () => {
    // 60 of 1,000 cancel, and the scores know nothing: an AUC of a half with a standard error of .0385.
    const users = Array.from({ length: 1_000 }, (_, index) => ({
      score: (index * 617) % 1_000,
      probability: 0.06,
      cancelled: (index * 379) % 1_000 < 60,
    }));
    const { auc } = realisedFigures(users);
    const width = (auc?.high ?? 0) - (auc?.low ?? 0);
    const deviation = Math.sqrt(1_001 / (12 * 60 * 940));
    expect(Math.abs((auc?.value ?? 0) - 0.5)).toBeLessThan(3 * deviation);
    expect(width / (2 * 1.96 * deviation)).toBeGreaterThan(0.8);
    expect(width / (2 * 1.96 * deviation)).toBeLessThan(1.2);
    expect(realisedFigures(users)).toEqual(realisedFigures(users));
  });

  it('are missing where they have no value', () => {
    const nobody = USERS.map((user) => ({ ...user, cancelled: false }));
    expect(realisedFigures(nobody)).toMatchObject({
      cancelled: 0,
      auc: undefined,
      predictedObserved: undefined,
    });
    expect(realisedFigures([])).toMatchObject({ users: 0, auc: undefined });
    const withheld = USERS.map((user) => ({ ...user, probability: null }));
    expect(realisedFigures(withheld).predictedObserved).toBeUndefined();
    expect(realisedFigures(withheld).auc?.value).toBeCloseTo(0.8515625, 12);
  });
});
