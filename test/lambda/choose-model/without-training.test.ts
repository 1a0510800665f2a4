/** Who scores in a run that has not trained. */
import { describe, expect, it } from 'vitest';
import { chooseWithoutTraining } from '../../../lambda/choose-model/without-training.ts';
import { FEATURES } from '../../support/run-fixture.ts';

const CHAMPION = { runId: 'run-0', modelUri: 's3://lake/models/run-0', testCutoff: '2018-11-14' };
const choose = (changed: Partial<Parameters<typeof chooseWithoutTraining>[0]> = {}, withheld = false) =>
  chooseWithoutTraining({
    plan: {
      runId: 'run-1',
      champion: { ...CHAMPION, withheld },
      observedBefore: null,
      training: { horizonDays: 14 },
    },
    features: FEATURES,
    scorer: { kind: 'random_forest' },
    why: 'nothing is new',
    ...changed,
  });

describe('without training', () => {
  it('the champion scores by the scores of its own test, and its age in days of the log is said', () => {
    expect(choose()).toEqual({
      runId: 'run-1',
      rule: 'in_charge',
      scorer: { ...CHAMPION, model: 'random_forest', testScores: null },
      challengerScores: false,
      list: 'yes',
      baseRate: 0.04,
      comparedWith: CHAMPION.modelUri,
      gates: [],
      difference: null,
      reasons: [
        'the model of run run-0 is in charge (5 days of the log have passed since its test), and nothing was trained: nothing is new',
      ],
    });
  });

  it('its probabilities stay withheld when they were not believed before', () => {
    const choice = choose({}, true);
    expect(choice.list).toBe('order only');
    expect(choice.reasons[1]).toContain('not believed when it was last tested');
  });

  it('nobody scores where there is no champion, or where it cannot be used: users get the base rate', () => {
    const plan = { runId: 'run-1', champion: null, observedBefore: null, training: { horizonDays: 14 } };
    const nobody = { rule: 'nobody', scorer: null, list: 'no', baseRate: 0.04, comparedWith: null };
    expect(choose({ plan, scorer: undefined })).toMatchObject({
      ...nobody,
      reasons: ['nobody is in charge, and nothing was trained: nothing is new'],
    });
    expect(choose({ scorer: { problem: 'its files are gone' } })).toMatchObject({
      ...nobody,
      reasons: [
        'the champion of run run-0 cannot be used: its files are gone, and nothing was trained: nothing is new',
      ],
    });
  });
});
