import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../domain/lake.ts';
import { knownOutcomes, outcomeRows } from '../../domain/outcomes.ts';
import type { OutcomeGroup, RunOutcome } from '../../domain/results.ts';

const group = (decile: number | null, users: number, predicted: number | null, observed: number, more = {}) =>
  ({
    ...{ decile, users, predicted, observed, inControlGroup: false, worthContacting: false },
    ...more,
  }) satisfies OutcomeGroup;
const outcome = (groups: readonly OutcomeGroup[], runId = 'run-1', cutoff = '2018-11-01'): RunOutcome => ({
  ...{ runId, cutoff, horizonEnd: '2018-11-15' },
  groups: [...groups],
});

const worth = { worthContacting: true };
const control = { inControlGroup: true };
const LISTED = outcome([
  group(2, 540, 20, 25),
  group(2, 60, 2, 3, control),
  group(1, 180, 9, 10),
  group(1, 20, 1, 1, control),
  group(1, 360, 90, 60, worth),
  group(1, 40, 10, 12, { ...worth, ...control }),
]);

describe('what came true of a run', () => {
  it('is said of all its users, of each tenth, of the list and of the control users who would have been on it', () => {
    const rows = outcomeRows(LISTED, 'run-3');
    expect(
      rows.map(({ part, decile, users, predicted, observed }) => [part, decile, users, predicted, observed]),
    ).toEqual([
      ['all', null, 1_200, 132, 111],
      ['decile', 1, 600, 110, 83],
      ['decile', 2, 600, 22, 28],
      ['list', null, 360, 90, 60],
      ['control', null, 40, 10, 12],
    ]);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(OUTCOMES.columns.map(({ name }) => name));
      expect(row).toMatchObject({
        run_id: 'run-1',
        cutoff: '2018-11-01',
        horizon_end: '2018-11-15',
        measured_by: 'run-3',
      });
    }
  });

  it('has the effect of contacting on the row of the list alone, with the smallest that could have been found', () => {
    const [list, ...others] = outcomeRows(LISTED, 'run-3').toSorted(
      (a, b) => Number(b.part === 'list') - Number(a.part === 'list'),
    );
    expect(list?.effect).toBeCloseTo(12 / 40 - 60 / 360, 12);
    expect(list?.effect_low).toBeLessThan(list?.effect ?? 0);
    expect(list?.effect_high).toBeGreaterThan(list?.effect ?? 0);
    // A quarter was expected to cancel: of 40 control users, about three quarters of these would have to be kept.
    expect(list?.smallest_effect).toBeGreaterThan(0.12);
    expect(list?.smallest_effect).toBeLessThan(0.25);
    for (const row of others)
      expect([row.effect, row.effect_low, row.effect_high, row.smallest_effect]).toEqual([
        null,
        null,
        null,
        null,
      ]);
  });

  it('has no effect without control users, and no list where the run had none', () => {
    const alone = outcomeRows(outcome([group(1, 100, 30, 20, worth), group(2, 900, 20, 25)]), 'run-3');
    expect(alone.map(({ part, effect }) => [part, effect])).toEqual([
      ['all', null],
      ['decile', null],
      ['decile', null],
      ['list', null],
      ['control', null],
    ]);
    const nobody = outcome([group(null, 1_000, 40, 38, { worthContacting: null })]);
    expect(outcomeRows(nobody, 'run-3').map(({ part, users }) => [part, users])).toEqual([['all', 1_000]]);
  });

  it('predicts nothing where probabilities were withheld', () => {
    const withheld = outcome([group(1, 100, null, 20, { worthContacting: null })]);
    expect(outcomeRows(withheld, 'run-3').map(({ predicted }) => predicted)).toEqual([null, null]);
  });
});

describe('all that is known', () => {
  it('is in the order of the cutoffs, with all rows of the newest', () => {
    const rows = [
      outcomeRows(outcome([group(1, 3, 1, 0)], 'b', '2018-11-08'), 'run-3'),
      outcomeRows(LISTED, 'run-3'),
      [],
      outcomeRows(outcome([group(1, 2, 1, 2)], 'a', '2018-11-08'), 'run-3'),
    ];
    const { past, newest } = knownOutcomes(rows);
    expect(past.map(({ runId, predicted, observed }) => [runId, predicted, observed])).toEqual([
      ['run-1', 132, 111],
      ['a', 1, 2],
      ['b', 1, 0],
    ]);
    expect(newest).toEqual(rows[0]);
    expect(knownOutcomes([])).toEqual({ past: [], newest: [] });
  });
});
