/** One user's score as text for people. Pure functions. */
import { comparisonText, NOTHING_STANDS_OUT } from '../../../domain/features/reason-words.ts';
import type { UserScore } from './user-score.ts';

/** Values that are shown; JSON has all. */
const SHOWN = 15;

export function userScoreText(score: UserScore): string {
  const { userId, runId, level, inControlGroup } = score;
  return [
    // Control characters of a hostile id must not reach the terminal.
    `User ${userId.replaceAll(/\p{Cc}/gu, '?')} in run ${runId}: ${standing(score)}`,
    `Level: ${level ?? 'unknown'}${inControlGroup ? '; in the control group: do not contact' : ''}`,
    ...explained(score),
    '',
  ].join('\n');
}

function standing({ probability, rank, decile }: UserScore): string {
  if (rank === null) return 'no model is in charge, every user has the base rate';
  const chance =
    probability === null ? 'probability withheld' : `probability ${(100 * probability).toFixed(1)}%`;
  return `${chance}, rank ${rank.toLocaleString('en')}, decile ${decile ?? ''}`;
}

function explained({ reasons, values }: UserScore): readonly string[] {
  if (reasons !== null && reasons.length > 0)
    return ['What raises the score:', ...reasons.map(({ text }) => `  ${text}`)];
  const why =
    reasons === null
      ? 'Reasons were not asked for: they are for those most at risk.'
      : `What raises the score: ${NOTHING_STANDS_OUT}.`;
  if (values.length === 0) return [why, 'Typical values are not stored with this run.'];
  return [
    why,
    'The values that the model looks at most, beside those typical of the level:',
    ...values
      .slice(0, SHOWN)
      .map(({ feature, value, typical }) => `  ${comparisonText(feature, value, typical)}`),
  ];
}
