/** The gates exactly at their limits, and the finding of each that fails. */
import { describe, expect, it } from 'vitest';
import { areaLowerBound } from '../../../domain/area-lower-bound.ts';
import type { GateName } from '../../../domain/choice.ts';
import { LEAKAGE_AUC, LEAKAGE_INPUT_AUC } from '../../../domain/models.ts';
import type { TrainingResult } from '../../../domain/results.ts';
import type { PromotionSettings } from '../../../domain/run.ts';
import { challengerGates } from '../../../lambda/choose-model/gates.ts';
import { INGEST, TRAINING } from '../../support/run-fixture.ts';

const SETTINGS: PromotionSettings = {
  mode: 'automatic',
  margin: 0,
  leakageAuc: LEAKAGE_AUC,
  leakageInputAuc: LEAKAGE_INPUT_AUC,
  acceptedFeatures: [],
  maxQuarantineShare: 0.05,
};
type Metrics = TrainingResult['evaluations'][number]['metrics'];

const gates = (
  training: Partial<TrainingResult> = {},
  settings: Partial<PromotionSettings> = {},
  ingest: Parameters<typeof challengerGates>[0]['ingest'] = INGEST,
) =>
  challengerGates({ training: { ...TRAINING, ...training }, ingest, settings: { ...SETTINGS, ...settings } });
const gate = (name: GateName, ...given: Parameters<typeof gates>) =>
  gates(...given).find((one) => one.name === name);

/** The fixture with the metrics of one model changed. */
const changed = (model: string, change: (metrics: Metrics) => Metrics): Partial<TrainingResult> => ({
  evaluations: TRAINING.evaluations.map((evaluation) =>
    evaluation.model === model ? { ...evaluation, metrics: change(evaluation.metrics) } : evaluation,
  ),
});
const withArea = (value: number, low: number | null) =>
  changed(TRAINING.chosen, (metrics) => ({ ...metrics, auc: { value, low, high: null } }));

describe('a challenger', () => {
  it('that is a fair model passes all of them', () => {
    expect(gates().filter(({ passed }) => !passed)).toEqual([]);
    expect(gates()).toHaveLength(7);
  });

  it('fails when the metrics are not reliable', () => {
    const reliabilityReason = '12 cancellations, at least 50 are needed';
    expect(gate('cancellations', { reliable: false, reliabilityReason })).toEqual({
      name: 'cancellations',
      passed: false,
      finding: `the metrics are not reliable: ${reliabilityReason}`,
    });
  });

  it.each(['base_rate', 'random_forest'] as const)(
    'fails when %s is chosen and is no candidate',
    (chosen) => {
      const evaluations = TRAINING.evaluations.filter(({ model }) => model !== 'random_forest');
      expect(gate('candidate', { chosen, evaluations })).toEqual({
        name: 'candidate',
        passed: false,
        finding: `the chosen model "${chosen}" is not among the evaluated candidates`,
      });
    },
  );
});

describe('the baselines', () => {
  it.each([
    ['auc', 0.643, 'AUC is 0.643, the baseline has 0.643'],
    ['average_precision', 0.06, 'average precision is 0.060, the baseline has 0.060'],
  ] as const)('are not beaten by an equal %s', (metric, value, comparison) => {
    const training = changed('boosted_trees', (metrics) => ({
      ...metrics,
      [metric]: { value, low: null, high: null },
    }));
    expect(gate('baselines', training)).toEqual({
      name: 'baselines',
      passed: false,
      finding: `it does not beat the baseline "Days since last seen": ${comparison}`,
    });
  });

  it('must have been evaluated, by every metric', () => {
    const evaluations = TRAINING.evaluations.filter(({ model }) => model !== 'base_rate');
    expect(gate('baselines', { evaluations })?.finding).toBe('the baseline "Base rate" was not evaluated');
    const training = changed('base_rate', ({ auc: _, ...metrics }) => metrics);
    expect(gate('baselines', training)?.finding).toBe(
      'it cannot be compared with the baseline "Base rate": AUC is missing',
    );
  });
});

describe('the leak alarm', () => {
  it('is raised above the limit of the lower bound, and not at it', () => {
    expect(gate('leak', withArea(0.9, LEAKAGE_AUC))?.passed).toBe(true);
    const raised = gate('leak', withArea(0.93, LEAKAGE_AUC + 1e-9));
    expect(raised).toMatchObject({ passed: false, finding: expect.stringContaining('after the cutoff') });
    expect(gate('leak', withArea(0.93, 0.86), { leakageAuc: 0.9 })?.passed).toBe(true);
  });

  it('computes the lower bound where none was given', () => {
    expect(gate('leak', withArea(0.88, null))?.passed).toBe(true);
    const training = { ...withArea(0.97, null), testRows: 60, testCancellations: 40 };
    expect(gate('leak', training)?.finding).toContain(
      `(at least ${areaLowerBound(0.97, 40, 20).toFixed(3)})`,
    );
    expect(gate('leak', withArea(0.97, null))?.passed).toBe(false);
  });

  it('is raised by a chosen model without an AUC', () => {
    expect(
      gate(
        'leak',
        changed('boosted_trees', ({ auc: _, ...metrics }) => metrics),
      ),
    ).toMatchObject({
      passed: false,
      finding: 'the chosen model has no AUC',
    });
  });

  it('names an input that ranks too well by itself, unless it was looked into and accepted', () => {
    const singleInputs = [
      { feature: 'peeking', auc: 0.9, low: LEAKAGE_INPUT_AUC + 1e-9 },
      { feature: 'honest', auc: 0.8, low: LEAKAGE_INPUT_AUC },
    ];
    const raised = gate('leaking_input', { singleInputs });
    expect(raised?.passed).toBe(false);
    expect(raised?.finding).toMatch(
      /^peeking ranks with an AUC of 0\.900 by itself.*excludedFeatures or acceptedFeatures$/,
    );
    expect(gate('leaking_input', { singleInputs }, { acceptedFeatures: ['peeking'] })?.passed).toBe(true);
    expect(gate('leaking_input', { singleInputs }, { leakageInputAuc: 0.8 })?.passed).toBe(true);
  });

  it('has a lower bound after Hanley and McNeil: 0.893 of 51 and 58 has a standard error of 0.0325', () => {
    expect(areaLowerBound(0.893, 51, 58)).toBeCloseTo(0.893 - 1.96 * 0.0325, 4);
    expect(areaLowerBound(0.893, 58, 51)).toBeCloseTo(0.8319, 4);
    const [positives, negatives] = [51, 58];
    const deviation = Math.sqrt((positives + negatives + 1) / (12 * positives * negatives));
    expect(areaLowerBound(0.5, positives, negatives)).toBeCloseTo(0.5 - 1.96 * deviation, 12);
    expect([areaLowerBound(0.9, 0, 100), areaLowerBound(0.9, 100, 0)]).toEqual([0, 0]);
    // With one of each the variance is that of a coin: 0.9 x 0.1.
    expect(areaLowerBound(0.9, 1, 1)).toBeCloseTo(0.9 - 1.96 * 0.3, 12);
  });
});

describe('predicted and observed cancellations', () => {
  const predicting = (predicted: number, observed: number): Partial<TrainingResult> => ({
    evaluations: TRAINING.evaluations.map((evaluation) =>
      evaluation.model === TRAINING.chosen
        ? {
            ...evaluation,
            reliability: [{ predicted: predicted / 1_000, observed: observed / 1_000, users: 1_000 }],
          }
        : evaluation,
    ),
  });

  it('may differ by chance, and by a little', () => {
    expect(gate('predicted_observed', predicting(60, 40))).toMatchObject({ passed: true });
    expect(gate('predicted_observed', predicting(30, 40))).toMatchObject({ passed: true });
    expect(gate('predicted_observed', predicting(30, 0))?.finding).toContain('no cancellations came');
  });

  it('fail when the whole interval is outside 0.8 to 1.25', () => {
    // The exact interval of 40 is 28.58 to 54.47: 1.25 x 54.47 = 68.09, and .8 x 28.58 = 22.86.
    expect(gate('predicted_observed', predicting(68, 40))?.passed).toBe(true);
    expect(gate('predicted_observed', predicting(68.2, 40))).toMatchObject({
      passed: false,
      finding: '68.2 cancellations were predicted where 40 came: 1.71 (1.25 to 2.39), outside 0.8 to 1.25',
    });
    expect(gate('predicted_observed', predicting(22.9, 40))?.passed).toBe(true);
    expect(gate('predicted_observed', predicting(22.8, 40))?.passed).toBe(false);
  });
});

describe('the share of refused rows', () => {
  const refused = (quarantined: number, read = 1_000) => ({
    counts: { read, accepted: 0, quarantined, duplicates: 0 },
    refused: {},
  });

  it('may be exactly the limit of the deployment, whatever the request allows', () => {
    expect(gate('quarantine', {}, {}, refused(50))?.passed).toBe(true);
    expect(gate('quarantine', {}, {}, refused(51))).toMatchObject({
      passed: false,
      finding: '5.1% of the rows were refused, and a model is promoted up to 5.0%',
    });
    expect(gate('quarantine', {}, {}, refused(0, 0))?.passed).toBe(true);
  });

  it('counts also for a challenger that could not be fitted', () => {
    expect(gate('quarantine', { chosen: 'base_rate' }, {}, refused(51))?.passed).toBe(false);
  });
});
