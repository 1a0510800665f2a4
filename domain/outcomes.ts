/**
 * What came true of the scores of earlier runs, once the log has reached the end of their horizon. ScoreUsers counts, and all
 * that is said of an outcome follows from its counts here. Pure functions.
 */
import { z } from 'zod';
import { type Arm, campaignEffect, smallestEffect } from './campaign-effect.ts';
import { count, isoDate } from './fields.ts';
import type { OutcomeGroup, RunOutcome } from './results.ts';

/** The users whom a row is about: all, a tenth of them by score, the list, or the control users who would have been on it. */
export const OUTCOME_PARTS = ['all', 'decile', 'list', 'control'] as const;

/** One row of the table `outcomes`; its keys are the columns of OUTCOMES in lake.ts. */
export const outcomeRowSchema = z.strictObject({
  run_id: z.string(),
  cutoff: isoDate,
  horizon_end: isoDate,
  measured_by: z.string(),
  part: z.enum(OUTCOME_PARTS),
  /** Null but for a tenth. */
  decile: count.nullable(),
  users: count,
  /** Null where probabilities were withheld. */
  predicted: z.number().nonnegative().nullable(),
  observed: count,
  /** Of the list; null elsewhere, and where there is nobody to compare it with. */
  effect: z.number().nullable(),
  effect_low: z.number().nullable(),
  effect_high: z.number().nullable(),
  /** Null also where no effect could have been found. */
  smallest_effect: z.number().nullable(),
});
export type OutcomeRow = z.infer<typeof outcomeRowSchema>;

/** What came true of a run as a whole. */
export const pastOutcomeSchema = z.strictObject({
  runId: z.string(),
  cutoff: isoDate,
  horizonEnd: isoDate,
  users: count,
  predicted: z.number().nonnegative().nullable(),
  observed: count,
});
export type PastOutcome = z.infer<typeof pastOutcomeSchema>;

/** The outcomes that are known when a run ends: of each run as a whole, and all rows of the newest. */
export const knownOutcomesSchema = z.strictObject({
  /** In the order of their cutoffs. */
  past: z.array(pastOutcomeSchema),
  newest: z.array(outcomeRowSchema),
});
export type KnownOutcomes = z.infer<typeof knownOutcomesSchema>;

type Counted = Pick<OutcomeRow, 'users' | 'predicted' | 'observed'>;
type Effect = Pick<OutcomeRow, 'effect' | 'effect_low' | 'effect_high' | 'smallest_effect'>;

const NO_EFFECT: Effect = { effect: null, effect_low: null, effect_high: null, smallest_effect: null };

/** The rows of a run: all its users, the tenths and, where there was a list, this and the control users beside it. */
export function outcomeRows(
  { runId, cutoff, horizonEnd, groups }: RunOutcome,
  measuredBy: string,
): readonly OutcomeRow[] {
  const row = (
    part: OutcomeRow['part'],
    decile: number | null,
    of: readonly OutcomeGroup[],
    effect: Effect = NO_EFFECT,
  ): OutcomeRow => ({
    ...{ run_id: runId, cutoff, horizon_end: horizonEnd, measured_by: measuredBy, part, decile },
    ...sumOf(of),
    ...effect,
  });
  const deciles = [...new Set(groups.flatMap(({ decile }) => (decile === null ? [] : [decile])))].sort(
    (a, b) => a - b,
  );
  const worth = groups.filter(({ worthContacting }) => worthContacting === true);
  const list = worth.filter(({ inControlGroup }) => !inControlGroup);
  const control = worth.filter(({ inControlGroup }) => inControlGroup);
  return [
    row('all', null, groups),
    ...deciles.map((decile) =>
      row(
        'decile',
        decile,
        groups.filter((group) => group.decile === decile),
      ),
    ),
    ...(worth.length === 0
      ? []
      : [row('list', null, list, effectOf(sumOf(list), sumOf(control))), row('control', null, control)]),
  ];
}

function sumOf(groups: readonly OutcomeGroup[]): Counted {
  const sum = (value: (group: OutcomeGroup) => number): number =>
    groups.reduce((total, group) => total + value(group), 0);
  return {
    users: sum(({ users }) => users),
    predicted: groups.some(({ predicted }) => predicted === null)
      ? null
      : sum(({ predicted }) => predicted ?? 0),
    observed: sum(({ observed }) => observed),
  };
}

/** What could have been found follows from what was predicted: the control users are often too few to say how many cancel. */
function effectOf(list: Counted, control: Counted): Effect {
  const arm = ({ users, observed }: Counted): Arm => ({ users, cancelled: observed });
  const found = campaignEffect(arm(list), arm(control));
  if (found === undefined) return NO_EFFECT;
  const share = ((list.predicted ?? 0) + (control.predicted ?? 0)) / (list.users + control.users);
  return {
    effect: found.value,
    effect_low: found.low,
    effect_high: found.high,
    smallest_effect: smallestEffect(share, list.users, control.users),
  };
}

/**
 * What is known of the runs whose rows these are, in whatever order they come.
 * @param outcomes the rows of each run
 */
export function knownOutcomes(outcomes: readonly (readonly OutcomeRow[])[]): KnownOutcomes {
  const runs = outcomes
    .flatMap((rows) => {
      const all = rows.find(({ part }) => part === 'all');
      return all === undefined ? [] : [{ rows, all }];
    })
    .sort((a, b) => compare(a.all.cutoff, b.all.cutoff) || compare(a.all.run_id, b.all.run_id));
  return {
    past: runs.map(({ all }) => ({
      ...{ runId: all.run_id, cutoff: all.cutoff, horizonEnd: all.horizon_end },
      ...{ users: all.users, predicted: all.predicted, observed: all.observed },
    })),
    newest: [...(runs.at(-1)?.rows ?? [])],
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
