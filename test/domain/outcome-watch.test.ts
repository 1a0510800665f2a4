/** The watch over predicted and observed cancellations: by simulation, how soon it rings and how seldom falsely. */
import { describe, expect, it } from 'vitest';
import { outcomeAlarm, outcomeWarning, watchedOutcomes } from '../../domain/outcome-watch.ts';
import type { PastOutcome } from '../../domain/outcomes.ts';
import { addDays } from '../../domain/time.ts';
import { seeded } from '../support/seeded.ts';

const HORIZON_DAYS = 14;
/** The first day of a horizon, of those that are counted from a fixed day on. */
const FIRST = '2018-10-04';
const random = seeded(7);
const uniform = (): number => (random(1_000_000_000) + 0.5) / 1_000_000_000;

/** How many cancel of twenty times as many users as are expected to: from one who does to the next by geometric steps. */
function drawn(expected: number): number {
  const users = expected * 20;
  let cancelled = 0;
  for (let user = -1; ; cancelled += 1) {
    user += 1 + Math.floor(Math.log(uniform()) / Math.log1p(-1 / 20));
    if (user >= users) return cancelled;
  }
}

const outcome = (day: number, predicted: number | null, observed: number): PastOutcome => ({
  runId: `run of day ${day}`,
  cutoff: addDays(FIRST, day),
  horizonEnd: addDays(FIRST, day + HORIZON_DAYS),
  users: 1_000,
  predicted,
  observed,
});

/** Outcomes one after another, of which so many were predicted and `factor` times as many come. */
const series = (runs: number, predicted: number, factor = (): number => 1): PastOutcome[] =>
  Array.from({ length: runs }, (_, run) =>
    outcome(run * HORIZON_DAYS, predicted, drawn(predicted * factor())),
  );

describe('the watch over what came true', () => {
  // About 3,500, 20,000 and 60,000 users.
  it.each([150, 700, 2_000])(
    'rings within two runs where %i are predicted and the hazard is 1.3 times as high',
    (predicted) => {
      const SERIES = 300;
      let rang = 0;
      for (let one = 0; one < SERIES; one += 1) {
        const past = [...series(6, predicted), ...series(2, predicted, () => 1.3)].map((each, run) => ({
          ...each,
          ...{
            cutoff: addDays(FIRST, run * HORIZON_DAYS),
            horizonEnd: addDays(FIRST, (run + 1) * HORIZON_DAYS),
          },
        }));
        if (
          watchedOutcomes(past)
            .slice(6)
            .some(({ rings }) => rings === 'more')
        )
          rang += 1;
      }
      expect(rang / SERIES).toBeGreaterThan(0.9);
    },
  );

  // The last also where the level is off by 5 % from run to run, which is no reason to call anyone.
  it.each([
    [30, 0],
    [150, 0],
    [700, 0],
    [700, 0.05],
  ])('rings falsely once in 50 runs at most: %i predicted, level off by %f', (predicted, off) => {
    const RUNS = 3_000;
    const past = series(RUNS, predicted, () => 1 + off * (2 * uniform() - 1) * Math.sqrt(3));
    const rang = watchedOutcomes(past).filter(({ rings }) => rings !== undefined).length;
    expect(RUNS / Math.max(1, rang)).toBeGreaterThan(50);
  });

  it('counts no cancellation twice: of daily runs it watches one in a horizon, the same from day to day', () => {
    const daily = Array.from({ length: 70 }, (_, day) => outcome(day, 100, 100));
    const of = (past: readonly PastOutcome[]) => watchedOutcomes(past).map(({ runId }) => runId);
    expect(of(daily)).toEqual([0, 14, 28, 42, 56].map((day) => `run of day ${day}`));
    expect(of(daily.slice(0, 60))).toEqual(of(daily));
    const everyTenth = daily.filter((_, day) => day % 10 === 0);
    expect(of(everyTenth)).toEqual([0, 20, 40, 60].map((day) => `run of day ${day}`));
    // Where the oldest are not known any more, the others are the same soon.
    expect(of(daily.slice(5)).slice(1)).toEqual([28, 42, 56].map((day) => `run of day ${day}`));
  });

  it('passes over runs whose probabilities were withheld', () => {
    expect(watchedOutcomes([outcome(0, null, 50), outcome(14, 100, 90), outcome(28, 0, 3)])).toHaveLength(1);
  });

  it('says since when, and begins again once it has rung', () => {
    const past = [outcome(0, 100, 90), outcome(14, 100, 130), outcome(28, 100, 140), outcome(42, 100, 100)];
    expect(watchedOutcomes(past).map(({ rings }) => rings)).toEqual([
      undefined,
      undefined,
      'more',
      undefined,
    ]);
    expect(outcomeAlarm(past.slice(0, 3))).toEqual({
      ...{ direction: 'more', sinceCutoff: '2018-10-18', predicted: 200, observed: 270 },
    });
    expect(outcomeWarning(past.slice(0, 3))).toBe(
      'More users cancel than the scores said: of those scored from 2018-10-18 on 200 were predicted to cancel and 270 did, ' +
        'more than chance explains',
    );
    expect(outcomeWarning(past)).toBeUndefined();
    expect(outcomeAlarm([outcome(0, 300, 180)])).toMatchObject({ direction: 'fewer' });
    expect(outcomeWarning([])).toBeUndefined();
  });
});
