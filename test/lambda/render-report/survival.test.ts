/** Curves of a large service have a point for every day: a picture has fewer dots than that. */
import { expect, it } from 'vitest';
import type { SurvivalCurve } from '../../../domain/results.ts';
import { thinned } from '../../../lambda/render-report/sections/survival.ts';

const point = (day: number): SurvivalCurve['points'][number] => {
  const survival = 0.999 ** day;
  return { day, atRisk: 1_000, cancelled: 1, survival, low: survival, high: survival };
};
const days = (count: number, step = 1) =>
  Array.from({ length: count }, (_, index) => point(3 + step * index));

it('a short curve keeps all its points', () => {
  for (const curve of [days(1), days(2), days(60), days(20, 7)]) expect(thinned(curve)).toEqual(curve);
  expect(thinned([])).toEqual([]);
});

it('of a long curve the last point of each of 100 periods remains, and both ends', () => {
  const curve = days(1_500);
  const drawn = thinned(curve);
  expect(drawn).toHaveLength(101);
  expect(drawn[0]).toEqual(curve[0]);
  expect(drawn.at(-1)).toEqual(curve.at(-1));
  expect(drawn.slice(1, 4).map(({ day }) => day)).toEqual([17, 32, 47]);
});
