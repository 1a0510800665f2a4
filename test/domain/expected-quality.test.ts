import { expect, test } from 'vitest';
import { expectedQuality } from '../../domain/expected-quality.ts';
import { PROBABILITY_BINS } from '../../domain/models.ts';
import { seeded } from '../support/seeded.ts';

const binned = (probabilities: readonly number[]) =>
  [
    ...Map.groupBy(probabilities, (each) =>
      Math.min(PROBABILITY_BINS - 1, Math.floor(each * PROBABILITY_BINS)),
    ),
  ].map(([bin, own]) => ({
    bin,
    users: own.length,
    expected: own.reduce((sum, each) => sum + each, 0),
    control: 0,
  }));

test('what is expected is what comes, on average, when every probability is right', () => {
  const random = seeded(5);
  const uniform = (): number => (random(1_000_000) + 0.5) / 1_000_000;
  const probabilities = Array.from({ length: 3_000 }, () => 0.3 * uniform() ** 3);
  const found = expectedQuality(binned(probabilities));
  let [auc, lift] = [0, 0];
  const DRAWS = 40;
  for (let draw = 0; draw < DRAWS; draw++) {
    const users = probabilities
      .map((probability) => ({ probability, cancels: uniform() < probability }))
      .sort((a, b) => b.probability - a.probability);
    const total = users.filter(({ cancels }) => cancels).length;
    let [above, area] = [0, 0];
    for (const { cancels } of users) {
      if (cancels) above += 1;
      else area += above;
    }
    auc += area / (total * (users.length - total)) / DRAWS;
    const top = users.slice(0, users.length / 10).filter(({ cancels }) => cancels).length;
    lift += top / total / 0.1 / DRAWS;
  }
  expect(found?.auc).toBeCloseTo(auc, 1);
  expect(Math.abs((found?.auc ?? 0) - auc)).toBeLessThan(0.015);
  expect(Math.abs((found?.liftAt10 ?? 0) - lift)).toBeLessThan(0.15);
});

test('users of one probability cannot be ranked, and those of the control group count', () => {
  const same = [{ bin: 100, users: 60, expected: 60 * 0.05025, control: 40 }];
  expect(expectedQuality(same)).toEqual({ auc: expect.closeTo(0.5, 12), liftAt10: expect.closeTo(1, 12) });
  const apart = [
    { bin: 1_800, users: 0, expected: 0, control: 10 },
    { bin: 10, users: 90, expected: 0.5, control: 0 },
  ];
  expect(expectedQuality(apart)?.liftAt10).toBeGreaterThan(9);
});

test('nothing is said where there is nothing to rank', () => {
  expect(expectedQuality([])).toBeUndefined();
  expect(expectedQuality([{ bin: 0, users: 10, expected: 0, control: 0 }])).toBeUndefined();
});
