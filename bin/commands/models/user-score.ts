/** One user's score: the reasons or, for a user without, the values beside those that are typical. */

import { SCORING_FEATURES_TABLE } from '../../../domain/features/features-table.ts';
import { CHANNEL_EXPOSURES } from '../../../domain/features/reason-words.ts';
import { SCORES } from '../../../domain/lake.ts';
import { CHAMPION_DETAIL, CHOICE, CURRENT, STEP_RESULT } from '../../../domain/lake-objects.ts';
import type { TypicalValue } from '../../../domain/results.ts';
import { UserError } from '../../../domain/user-error.ts';
import type { AnswerRow } from '../../../lambda/ports/sql.ts';
import type { Lake } from '../../../lambda/run/lake.ts';
import type { OpenLake } from './open-lake.ts';
import { scoreOf } from './score-text.ts';

/** A value of the user beside that of the living users of the level. */
export interface ComparedValue {
  /** Column of `features`; of a channel of the segments, the column of its count. */
  readonly feature: string;
  /** Null where there is none. Of a channel: events per exposure. */
  readonly value: number | null;
  readonly typical: number | null;
}

export interface UserScore extends ReturnType<typeof scoreOf> {
  readonly runId: string;
  /** What the model looks at most comes first; none for a user with reasons, or where an older version scored. */
  readonly values: readonly ComparedValue[];
}

/** @throws UserError when no run has succeeded, or when it has no score of that user */
export async function userScore(
  { lake, query }: Pick<OpenLake, 'lake' | 'query'>,
  userId: string,
): Promise<UserScore> {
  const current = await lake.find(CURRENT);
  if (current === undefined) throw new UserError(`No run of the lake ${lake.root} has succeeded yet.`);
  const { runId } = current.value;
  const where = (conditions: Readonly<Record<string, string>>): string =>
    Object.entries(conditions)
      .map(([column, value]) => `${column} = '${value.replaceAll("'", "''")}'`)
      .join(' AND ');
  const [row] = await query(
    `SELECT * FROM ${SCORES.name} WHERE ${where({ run_id: runId, user_id: userId })}`,
  );
  if (row === undefined) {
    throw new UserError(
      `Run ${runId} has no score of the user ${userId}: only users who were known and had not cancelled are scored. ` +
        'Check the id (`churn query` asks the lake in SQL).',
    );
  }
  const score = scoreOf(row);
  if ((score.reasons ?? []).length > 0) return { ...score, runId, values: [] };
  const typical = (await lake.glimpse(STEP_RESULT['score-users'].of(runId)))?.typical ?? [];
  const [features] =
    typical.length === 0
      ? []
      : await query(`SELECT * FROM ${SCORING_FEATURES_TABLE.name} WHERE ${where({ user_id: userId })}`);
  const important = await importanceOf(lake, runId);
  return {
    ...score,
    runId,
    values: features === undefined ? [] : comparedValues(features, typical, score.level, important),
  };
}

/** How much the model that scored looks at each feature. */
async function importanceOf(lake: Lake, runId: string): Promise<ReadonlyMap<string, number>> {
  const scorer = (await lake.glimpse(CHOICE.of(runId)))?.scorer?.runId ?? runId;
  const detail = await lake.glimpse(CHAMPION_DETAIL.of(scorer));
  return new Map(detail?.training?.importance.map(({ feature, share }) => [feature, share]));
}

/** The user's row of `features` beside what is typical of the level, what the model looks at most first. */
export function comparedValues(
  row: AnswerRow,
  typical: readonly TypicalValue[],
  level: string | null,
  important: ReadonlyMap<string, number>,
): readonly ComparedValue[] {
  const number = (column: string): number | null => (row[column] == null ? null : Number(row[column]));
  const value = (feature: string): number | null => {
    const exposure = CHANNEL_EXPOSURES.get(feature);
    if (exposure === undefined) return number(feature);
    const [count, exposed] = [number(feature), number(exposure)];
    return count === null || exposed === null || exposed === 0 ? null : count / exposed;
  };
  const share = ({ feature }: ComparedValue): number => important.get(feature) ?? 0;
  return typical
    .map(({ feature, free, paid }) => ({
      feature,
      value: value(feature),
      typical: level === 'paid' ? paid : free,
    }))
    .toSorted((a, b) => share(b) - share(a));
}
