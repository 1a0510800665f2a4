import { expect, test } from 'vitest';
import {
  expectedInterval,
  levelVariance,
  type TestedCutoff,
  uncertainty,
} from '../../domain/expected-interval.ts';
import { SCORING, TRAINING } from '../support/run-fixture.ts';
import { seeded } from '../support/seeded.ts';

const [PAST] = TRAINING.past;
const detail = { scoring: SCORING, training: TRAINING };

test('cutoffs that are off by chance alone add nothing, and the more they are off the more they add', () => {
  const off = (factor: number): readonly TestedCutoff[] =>
    [30, 40, 50].map((observed) => ({ predicted: observed * factor, observed }));
  expect(levelVariance([])).toBe(0);
  expect(levelVariance(off(1))).toBe(0);
  expect(levelVariance(off(2))).toBeCloseTo(Math.log(2) ** 2 - (1 / 30 + 1 / 40 + 1 / 50) / 3, 12);
  expect(levelVariance(off(0.5))).toBeCloseTo(levelVariance(off(2)), 12);
  expect(levelVariance([{ predicted: 12, observed: 0 }])).toBeGreaterThan(1);
});

test('the parts add up to an interval around the expected number, longer upwards, and never beyond the users', () => {
  const { outcomes, calibration, cutoffs } = uncertainty(detail);
  expect(calibration).toBeCloseTo(1 / TRAINING.trainCancellations, 12);
  const [low, high] = expectedInterval(detail);
  const expected = SCORING.expectedCancellations;
  const factor = Math.exp(1.96 * Math.sqrt(outcomes + calibration + cutoffs));
  expect(low).toBe(Math.floor(expected / factor));
  expect(high).toBe(Math.ceil(expected * factor));
  expect(high - expected).toBeGreaterThan(expected - low);
  const wrong = { ...TRAINING, past: TRAINING.past.map((past) => ({ ...past, predicted: 2_000 })) };
  expect(expectedInterval({ scoring: SCORING, training: wrong })[1]).toBe(SCORING.users);
  expect(expectedInterval({ ...detail, scoring: { ...SCORING, expectedCancellations: 0 } })).toEqual([0, 0]);
});

test('it covers what comes in about 19 of 20 logs, whether the level of the predictions wanders or not', () => {
  const random = seeded(7);
  const uniform = (): number => (random(1_000_000) + 0.5) / 1_000_000;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean: number): number => Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  const LOGS = 2_000;
  for (const wanders of [0, 0.25]) {
    let covered = 0;
    for (let log = 0; log < LOGS; log++) {
      const known = 300;
      const level = poisson(known) / known;
      const cutoff = (): TestedCutoff => ({
        predicted: 100 * level,
        observed: poisson(100 * Math.exp(wanders * normal())),
      });
      const past = [cutoff(), cutoff(), cutoff(), cutoff()].flatMap(({ predicted, observed }) =>
        PAST === undefined
          ? []
          : [
              {
                ...PAST,
                predicted,
                testCancellations: observed,
              },
            ],
      );
      const [low, high] = expectedInterval({
        scoring: { ...SCORING, expectedCancellations: 100 * level, probabilities: undefined },
        training: { ...TRAINING, trainCancellations: known, evaluations: [], past },
      });
      const came = cutoff().observed;
      covered += low <= came && came <= high ? 1 : 0;
    }
    expect(covered / LOGS, `level wanders by ${wanders}`).toBeGreaterThan(0.88);
  }
});
