/** Who scores and is in charge: each row of the table, and every case in which a champion is not what it was. */
import { describe, expect, it } from 'vitest';
import type { TrainingResult } from '../../../domain/results.ts';
import type { RunPlan } from '../../../domain/run.ts';
import { chooseModel } from '../../../lambda/choose-model/decide.ts';
import { championTest, INGEST, TRAINING } from '../../support/run-fixture.ts';

type Planned = Pick<RunPlan, 'runId' | 'champion' | 'promotion' | 'observedBefore'>;

const IN_CHARGE = { runId: 'run-0', modelUri: 's3://lake/models/run-0', testCutoff: '2018-11-12' };
const SETTINGS: RunPlan['promotion'] = {
  mode: 'automatic',
  margin: 0,
  leakageAuc: 0.85,
  leakageInputAuc: 0.75,
  acceptedFeatures: [],
  maxQuarantineShare: 0.05,
};

function choose(
  training: Partial<TrainingResult> = {},
  plan: Partial<Planned> = {},
  observationEnd = '2018-12-03',
) {
  return chooseModel({
    plan: {
      runId: 'run-1',
      champion: null,
      promotion: SETTINGS,
      observedBefore: null,
      ...plan,
    },
    training: { ...TRAINING, ...training },
    ingest: INGEST,
    observationEnd,
  });
}
/** With a champion, tested as given. */
const against = (
  champion: Parameters<typeof championTest>[0],
  training: Partial<TrainingResult> = {},
  plan: Partial<Planned> = {},
) => choose({ champion: championTest(champion), ...training }, { champion: IN_CHARGE, ...plan });

const FAILING = { reliable: false, reliabilityReason: 'only 12 users cancel' };
const CHALLENGER = {
  runId: 'run-1',
  modelUri: 's3://lake/models/run-1',
  testCutoff: '2018-11-19',
  model: 'boosted_trees',
  testScores: null,
};
const CHAMPION = { ...IN_CHARGE, model: 'logistic_regression', testScores: championTest().testScores };
/** Forty came on the test rows; these probabilities add up to that many times as much. */
const predicting = (times: number) => {
  const evaluation = championTest().evaluation;
  if (evaluation === null) throw new Error('the fixture has an evaluation');
  const reliability = [{ predicted: 0.04 * times, observed: 0.04, users: 1_000 }];
  return { evaluation: { ...evaluation, reliability } };
};

describe('without a usable champion', () => {
  it('the challenger that passes every gate scores and is in charge', () => {
    expect(choose()).toMatchObject({
      rule: 'first',
      scorer: CHALLENGER,
      challengerScores: true,
      list: 'yes',
      makesCurrent: true,
      difference: null,
      reasons: ['the first model: it beats every baseline by AUC and average precision'],
    });
  });

  it('nobody is in charge when the challenger fails a gate: the base rate, and no list', () => {
    expect(choose(FAILING)).toMatchObject({
      rule: 'nobody',
      scorer: null,
      challengerScores: false,
      list: 'no',
      baseRate: 0.04,
      reasons: ['nobody is in charge: the metrics are not reliable: only 12 users cancel'],
    });
  });

  it.each([
    'it predicts 14 days ahead, and this run 7',
    'the feature catalogue has changed since: songs_per_day',
    'an older version stored it, without the definitions of its inputs',
    'its files cannot be read: there is no model at s3://lake/models/run-0',
  ])('as %s, the challenger takes over, and people read why', (notUsable) => {
    const unusable = { notUsable, comparable: false, evaluation: null, difference: null, testScores: null };
    const choice = against(unusable);
    expect(choice).toMatchObject({ rule: 'first', scorer: CHALLENGER, difference: null });
    expect(choice.reasons[1]).toBe(`the champion of run run-0 cannot be used: ${notUsable}`);
    expect(against(unusable, FAILING)).toMatchObject({ rule: 'nobody', scorer: null, list: 'no' });
  });

  it('manual promotion does not keep the first model from taking over', () => {
    expect(choose({}, { promotion: { ...SETTINGS, mode: 'manual' } })).toMatchObject({ rule: 'first' });
  });

  it('a champion that was tested although the plan knows none does not count', () => {
    expect(choose({ champion: championTest() })).toMatchObject({ rule: 'first', difference: null });
  });

  it('a base rate is 0 where there were no test rows', () => {
    expect(choose({ ...FAILING, testRows: 0, testCancellations: 0 }).baseRate).toBe(0);
  });
});

describe('with a usable champion', () => {
  it('the challenger that is not shown to be worse scores and is in charge', () => {
    const choice = against({});
    expect(choice).toMatchObject({
      rule: 'not_worse',
      scorer: CHALLENGER,
      challengerScores: true,
      list: 'yes',
    });
    expect(choice.difference).toEqual({ value: 0.15, low: -0.2, high: 0.5 });
    expect(choice.reasons).toEqual([
      'not worse: average precision / base rate differs by +0.15 (-0.20 to +0.50) from the champion of run run-0 on the same test rows',
    ]);
  });

  it('the same data twice gives equal models, and the new one takes over', () => {
    expect(against({ difference: { value: 0, low: 0, high: 0 } })).toMatchObject({ rule: 'not_worse' });
  });

  it('the challenger is refused only when the whole interval is below minus the margin', () => {
    const worse = (high: number, margin = 0) =>
      against({ difference: { value: -0.3, low: -0.6, high } }, {}, { promotion: { ...SETTINGS, margin } });
    expect(worse(-0.0001)).toMatchObject({
      rule: 'shown_worse',
      scorer: CHAMPION,
      challengerScores: false,
      list: 'yes',
    });
    expect(worse(0)).toMatchObject({ rule: 'not_worse' });
    expect(worse(-0.1, 0.1)).toMatchObject({ rule: 'not_worse' });
    expect(worse(-0.1001, 0.1)).toMatchObject({ rule: 'shown_worse' });
    expect(worse(-0.1).reasons[0]).toMatch(
      /^the model of run run-0 stays: the new one is worse, .*-0\.30 \(-0\.60 to -0\.10\)/,
    );
  });

  it('the champion scores when the challenger fails a gate', () => {
    expect(against({}, FAILING)).toMatchObject({
      rule: 'gate_failed',
      scorer: CHAMPION,
      list: 'yes',
      reasons: ['the model of run run-0 stays: the metrics are not reliable: only 12 users cancel'],
    });
  });

  it('the champion scores when the two could not be compared on the test rows', () => {
    expect(against({ difference: null })).toMatchObject({ rule: 'gate_failed', scorer: CHAMPION });
    expect(against({ difference: { value: 1, low: null, high: null } })).toMatchObject({
      rule: 'gate_failed',
    });
  });

  it.each([{}, FAILING])(
    'the champion that has learnt from days of the test scores whatever the challenger is worth',
    (training) => {
      const choice = against({ comparable: false, difference: { value: -2, low: -3, high: -1 } }, training);
      expect(choice).toMatchObject({
        rule: 'not_comparable',
        scorer: CHAMPION,
        list: 'yes',
        difference: null,
      });
    },
  );

  it('its probabilities are withheld when far more or fewer came than it predicts, and its order is not', () => {
    for (const times of [3, 0.3]) {
      const choice = against(predicting(times), FAILING);
      expect(choice).toMatchObject({ rule: 'gate_failed', scorer: CHAMPION, list: 'order only' });
      expect(choice.reasons[1]).toMatch(/^the probabilities of the champion are withheld/);
    }
    expect(against(predicting(1.2), FAILING).list).toBe('yes');
  });

  it('the probabilities of the challenger are its own, whatever the champion predicted', () => {
    expect(against(predicting(3))).toMatchObject({ rule: 'not_worse', list: 'yes' });
  });
});

describe('people', () => {
  const manual = { promotion: { ...SETTINGS, mode: 'manual' as const } };

  it('decide on a challenger that is not worse where promotion is manual', () => {
    const choice = against({}, {}, manual);
    expect(choice).toMatchObject({ rule: 'waiting', scorer: CHAMPION, challengerScores: false, list: 'yes' });
    expect(choice.reasons[0]).toContain('`churn promote run-1` puts it in charge');
  });

  it('are not asked about one that is worse or fails a gate', () => {
    const worse = { difference: { value: -0.3, low: -0.6, high: -0.1 } };
    expect(against(worse, {}, manual).rule).toBe('shown_worse');
    expect(against({}, FAILING, manual).rule).toBe('gate_failed');
  });
});

describe('a run of an earlier day than the current scores', () => {
  it('makes nothing current, and says so', () => {
    const choice = choose({}, { observedBefore: '2018-12-04' });
    expect(choice).toMatchObject({ rule: 'first', makesCurrent: false });
    expect(choice.reasons[1]).toBe(
      'the users are scored as known on 2018-12-03, and the current scores are of 2018-12-04: nothing becomes current',
    );
  });

  it('is not one of the same or a later day', () => {
    expect(choose({}, { observedBefore: '2018-12-03' }).makesCurrent).toBe(true);
    expect(choose({}, { observedBefore: '2018-12-02' }).makesCurrent).toBe(true);
  });
});
