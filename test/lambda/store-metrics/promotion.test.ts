import { describe, expect, it } from 'vitest';
import { areaLowerBound } from '../../../domain/area-lower-bound.ts';
import type { TrainingResult } from '../../../domain/results.ts';
import { decidePromotion } from '../../../lambda/store-metrics/promotion.ts';
import { TRAINING } from '../../support/run-fixture.ts';

const CHAMPION = { runId: 'run-0', testCutoff: '2018-11-12', value: 3.5 };

/** The fixture with other figures of one model. */
function withFigures(model: string, figures: Readonly<Record<string, number>>, low: number | null = null) {
  return {
    ...TRAINING,
    evaluations: TRAINING.evaluations.map((evaluation) =>
      evaluation.model === model
        ? {
            ...evaluation,
            metrics: {
              ...evaluation.metrics,
              ...Object.fromEntries(
                Object.entries(figures).map(([name, value]) => [name, { value, low, high: null }]),
              ),
            },
          }
        : evaluation,
    ),
  } satisfies TrainingResult;
}

describe('promotion of the first model', () => {
  it('happens when it beats both baselines', () => {
    expect(decidePromotion(TRAINING, undefined)).toEqual({
      promoted: true,
      reason: 'the first model; it beats every baseline by AUC and average precision',
    });
  });

  it.each([
    ['auc', 0.64, 'AUC is 0.640, the baseline has 0.643'],
    ['average_precision', 0.06, 'average precision is 0.060, the baseline has 0.060'],
  ])('does not happen when a baseline has an equal %s', (metric, value, comparison) => {
    const decision = decidePromotion(withFigures('boosted_trees', { [metric]: value }), undefined);
    expect(decision.promoted).toBe(false);
    expect(decision.reason).toBe(`it does not beat the baseline "Days since last seen": ${comparison}`);
  });

  it('does not happen when the metrics are not reliable', () => {
    const decision = decidePromotion(
      { ...TRAINING, reliable: false, reliabilityReason: '12 cancellations, at least 50 are needed' },
      undefined,
    );
    expect(decision).toEqual({
      promoted: false,
      reason: 'the metrics are not reliable: 12 cancellations, at least 50 are needed',
    });
  });

  it('does not happen when a baseline was chosen or was not evaluated', () => {
    expect(decidePromotion({ ...TRAINING, chosen: 'base_rate' }, undefined).promoted).toBe(false);
    const evaluations = TRAINING.evaluations.filter(({ model }) => model !== 'base_rate');
    expect(decidePromotion({ ...TRAINING, evaluations }, undefined).promoted).toBe(false);
  });
});

describe('the leakage gate', () => {
  it('blocks an AUC whose lower bound is higher than is possible', () => {
    const decision = decidePromotion(withFigures('boosted_trees', { auc: 0.93 }, 0.86), undefined);
    expect(decision.promoted).toBe(false);
    expect(decision.reason).toMatch(/0\.930 \(at least 0\.860\) is better than any honest prediction/);
  });

  it('passes an AUC that may be chance, and computes the lower bound if none was given', () => {
    expect(decidePromotion(withFigures('boosted_trees', { auc: 0.88 }, 0.8), undefined).promoted).toBe(true);
    expect(decidePromotion(withFigures('boosted_trees', { auc: 0.88 }), undefined).promoted).toBe(true);
    expect(decidePromotion(withFigures('boosted_trees', { auc: 0.97 }), undefined).promoted).toBe(false);
  });

  it('uses the variance of the Mann-Whitney statistic for a model without any skill', () => {
    const [positives, negatives] = [51, 58];
    const deviation = Math.sqrt((positives + negatives + 1) / (12 * positives * negatives));
    expect(areaLowerBound(0.5, positives, negatives)).toBeCloseTo(0.5 - 1.96 * deviation, 12);
  });

  it('has a lower bound of 0 for an AUC without users', () => {
    expect(areaLowerBound(0.9, 0, 100)).toBe(0);
  });
});

describe('promotion against a champion', () => {
  it('happens if the challenger is not worse, and the reason says on which rows each was tested', () => {
    const decision = decidePromotion(TRAINING, CHAMPION);
    expect(decision.promoted).toBe(true);
    expect(decision.reason).toMatch(
      /^not worse: average precision \/ base rate is 3\.65, compared with 3\.50 of the champion of run run-0 .* not the same rows/,
    );
  });

  it('does not happen if the challenger is worse', () => {
    const decision = decidePromotion(TRAINING, { ...CHAMPION, value: 3.7 });
    expect(decision).toMatchObject({ promoted: false });
    expect(decision.reason).toMatch(/^worse: /);
  });

  it('that is tested at the same cutoff, the reason does not question the rows', () => {
    const { reason } = decidePromotion(TRAINING, { ...CHAMPION, testCutoff: TRAINING.testCutoff });
    expect(reason).toMatch(/\(both tested at 2018-11-19\)$/);
  });

  it('does not happen if the champion has no metrics', () => {
    const decision = decidePromotion(TRAINING, { ...CHAMPION, value: undefined });
    expect(decision.promoted).toBe(false);
    expect(decision.reason).toMatch(/cannot be compared with the champion of run run-0: .* is missing/);
  });
});
