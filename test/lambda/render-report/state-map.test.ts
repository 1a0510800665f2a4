/** The map and the places of the log name the same states. */
import { expect, it } from 'vitest';
import { REGIONS } from '../../../domain/features/regions.ts';
import { US_STATES } from '../../../domain/us-states.ts';
import { stateOutlines } from '../../../lambda/render-report/state-map.ts';

it('the map has an outline for every state that a place can name', () => {
  const outlines = stateOutlines();
  expect(outlines.map(({ name }) => name).sort()).toEqual([...US_STATES.values()].sort());
  expect([...US_STATES.keys()].sort()).toEqual(REGIONS.flatMap(({ states }) => states).sort());
  for (const { name, path } of outlines) expect(path, name).toMatch(/^M[\d,.MLZ-]+Z$/);
  // The page may have 2 MB in all.
  expect(outlines.reduce((sum, { path }) => sum + path.length, 0)).toBeLessThan(60_000);
});
