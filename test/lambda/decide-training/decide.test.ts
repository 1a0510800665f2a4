/** Whether a run trains: the table of what is asked for and what is new. */
import { describe, expect, it } from 'vitest';
import type { LastTraining, TrainSettings } from '../../../domain/training-decision.ts';
import { decideTraining, type Situation } from '../../../lambda/decide-training/decide.ts';

const LAST: LastTraining = {
  runId: 'run-1',
  fingerprint: 'f',
  testCutoff: '2018-11-19',
  cutoffs: { '2018-11-14': '1', '2018-11-19': '2' },
};
const cutoff = (day: string, role: 'train' | 'past' | 'test' | 'score', version?: string) => ({
  cutoff: day,
  role,
  rows: 10,
  cancellations: role === 'score' ? null : 1,
  ...(version === undefined ? {} : { version }),
});
const KNOWN = [
  cutoff('2018-11-14', 'train', '1'),
  cutoff('2018-11-19', 'test', '2'),
  cutoff('2018-12-04', 'score'),
];

const decide = (
  changed: Partial<Situation> = {},
  mode: TrainSettings['mode'] = 'when-new',
  askedBy: TrainSettings['askedBy'] = 'setting',
) =>
  decideTraining({
    train: { mode, askedBy, fingerprint: 'f' },
    cutoffs: KNOWN,
    last: LAST,
    championProblem: undefined,
    ...changed,
  });

describe('when there is something new', () => {
  it.each<[string, Partial<Situation>, string]>([
    ['nothing is remembered', { last: undefined }, 'nothing is remembered of an earlier training'],
    [
      'the champion cannot score',
      { championProblem: 'its files are gone' },
      'the model in charge cannot be used: its files are gone',
    ],
    [
      'it would be trained in another way',
      { train: { mode: 'when-new', askedBy: 'setting', fingerprint: 'g' } },
      'the training script, its packages, the feature catalogue or the settings have changed since run run-1 trained',
    ],
    [
      'outcomes of a newer cutoff are known',
      { cutoffs: [...KNOWN, cutoff('2018-11-24', 'test', '3')] },
      'the outcomes of the cutoff 2018-11-24 have become known since run run-1 trained',
    ],
    [
      'the rows of a cutoff have changed',
      { cutoffs: [cutoff('2018-11-14', 'train', '4'), cutoff('2018-11-19', 'test', '2')] },
      'the rows of the cutoff 2018-11-14 have changed since run run-1 trained',
    ],
    [
      'the rows of many have, also of those that it did not have',
      {
        cutoffs: ['2018-11-04', '2018-11-09', '2018-11-14', '2018-11-19'].map((day) =>
          cutoff(day, 'train', '9'),
        ),
      },
      'the rows of 4 cutoffs, among them 2018-11-09, 2018-11-14, 2018-11-19 have changed since run run-1 trained',
    ],
  ])('it trains: %s', (_, changed, reason) => {
    expect(decide(changed)).toEqual({ decision: 'train', reason });
  });
});

describe('when there is nothing new', () => {
  it('it does not train, and names what was known last', () => {
    expect(decide()).toEqual({
      decision: 'skip',
      reason:
        'nothing is known that the training of run run-1 did not have; the newest cutoff with known outcomes is still 2018-11-19',
    });
  });

  it('as a cutoff was dropped, or the run looks back to an earlier day, it does not train either', () => {
    expect(decide({ cutoffs: KNOWN.slice(1) }).decision).toBe('skip');
    expect(decide({ cutoffs: [cutoff('2018-11-14', 'test', '1')] }).decision).toBe('skip');
  });
});

describe('what is asked for comes first', () => {
  it.each<[TrainSettings['mode'], TrainSettings['askedBy'], 'train' | 'skip', string]>([
    ['always', 'request', 'train', 'the request says to train always'],
    ['always', 'force', 'train', 'the run was forced, which means to train always'],
    ['always', 'setting', 'train', 'the setting says to train always'],
    ['never', 'request', 'skip', 'the request says to train never'],
    ['never', 'setting', 'skip', 'the setting says to train never'],
    [
      'never',
      'rescoring',
      'skip',
      'no file is new and another model was put in charge, which means to train never',
    ],
  ])('%s by %s', (mode, askedBy, decision, reason) => {
    const news = { last: undefined, championProblem: 'gone' };
    for (const situation of [{}, news])
      expect(decide(situation, mode, askedBy)).toEqual({ decision, reason });
  });
});
