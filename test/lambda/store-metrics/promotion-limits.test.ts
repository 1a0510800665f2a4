/** Promotion exactly at its limits, and the reason of each refusal. */
import { describe, expect, it } from 'vitest';
import { areaLowerBound } from '../../../domain/area-lower-bound.ts';
import { LEAKAGE_AUC } from '../../../domain/models.ts';
import type { TrainingResult } from '../../../domain/results.ts';
import { type ChampionTest, decidePromotion } from '../../../lambda/store-metrics/promotion.ts';
import { TRAINING } from '../../support/run-fixture.ts';

type Metrics = TrainingResult['evaluations'][number]['metrics'];
const CHOSEN = TRAINING.evaluations.find(({ model }) => model === TRAINING.chosen);
const ratio = CHOSEN?.metrics.average_precision_ratio?.value ?? Number.NaN;
const champion = (more: Partial<ChampionTest> = {}): ChampionTest => ({
  runId: 'run-0',
  testCutoff: '2018-11-12',
  value: ratio,
  ...more,
});

/** The fixture with the metrics of one model changed. */
const changed = (model: string, change: (metrics: Metrics) => Metrics): TrainingResult => ({
  ...TRAINING,
  evaluations: TRAINING.evaluations.map((evaluation) =>
    evaluation.model === model ? { ...evaluation, metrics: change(evaluation.metrics) } : evaluation,
  ),
});
const withArea = (value: number, low: number | null) =>
  changed(TRAINING.chosen, (metrics) => ({ ...metrics, auc: { value, low, high: null } }));

describe('the champion', () => {
  it('is replaced by a challenger that is exactly as good', () => {
    expect(decidePromotion(TRAINING, champion())).toMatchObject({
      promoted: true,
      reason: expect.stringMatching(/^not worse: .*champion of run run-0/),
    });
  });

  it('stays when the challenger is worse by the least amount', () => {
    const decision = decidePromotion(TRAINING, champion({ value: ratio + Number.EPSILON * 4 }));
    expect(decision).toMatchObject({ promoted: false, reason: expect.stringMatching(/^worse: /) });
  });

  it('that was tested at the same cutoff is compared as such', () => {
    const { testCutoff } = TRAINING;
    const { reason } = decidePromotion(TRAINING, champion({ testCutoff }));
    expect(reason).toContain(`(both tested at ${testCutoff})`);
    expect(reason).not.toContain('2018-11-12');
  });

  it('without figures stays, and is named', () => {
    const { reason } = decidePromotion(TRAINING, champion({ value: undefined }));
    expect(reason).toContain('champion of run run-0');
  });
});

describe('the lower bound of the AUC', () => {
  it('may be exactly the limit, and no more', () => {
    expect(decidePromotion(withArea(0.9, LEAKAGE_AUC), undefined).promoted).toBe(true);
    expect(decidePromotion(withArea(0.9, LEAKAGE_AUC + Number.EPSILON), undefined)).toMatchObject({
      promoted: false,
      reason: expect.stringContaining('after the cutoff'),
    });
  });

  it('is that of Hanley and McNeil: 0.893 of 51 and 58 has a standard error of 0.0325', () => {
    expect(areaLowerBound(0.893, 51, 58)).toBeCloseTo(0.893 - 1.96 * 0.0325, 4);
    expect(areaLowerBound(0.893, 58, 51)).toBeCloseTo(0.8319, 4);
  });

  it('is computed from the cancellations and the other test rows', () => {
    const training = { ...withArea(0.97, null), testRows: 60, testCancellations: 40 };
    expect(decidePromotion(training, undefined).reason).toContain(
      `(at least ${areaLowerBound(0.97, 40, 20).toFixed(3)})`,
    );
  });

  it('is 0 without users of either kind, and known from one of each on', () => {
    expect([areaLowerBound(0.9, 0, 100), areaLowerBound(0.9, 100, 0)]).toEqual([0, 0]);
    // With one of each the variance is that of a coin: 0.9 x 0.1.
    expect(areaLowerBound(0.9, 1, 1)).toBeCloseTo(0.9 - 1.96 * 0.3, 12);
  });
});

describe('what is missing is the reason', () => {
  it.each(['base_rate', 'random_forest'] as const)('when %s is the chosen model', (chosen) => {
    const evaluations = TRAINING.evaluations.filter(({ model }) => model !== 'random_forest');
    expect(decidePromotion({ ...TRAINING, chosen, evaluations }, undefined)).toEqual({
      promoted: false,
      reason: `the chosen model "${chosen}" is not among the evaluated candidates`,
    });
  });

  it('when a baseline was not evaluated', () => {
    const evaluations = TRAINING.evaluations.filter(({ model }) => model !== 'base_rate');
    expect(decidePromotion({ ...TRAINING, evaluations }, undefined)).toEqual({
      promoted: false,
      reason: 'the baseline "Base rate" was not evaluated',
    });
  });
});
