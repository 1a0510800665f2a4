/** Spells of users as SQL over their days: when one ended, when the next began, and which cutoffs fall between. */

import { CHURN_EVENT, type ChurnEvent, RETURN_AFTER_MINUTES } from '../../domain/events.ts';
import { DECAYS } from '../../domain/features/compile.ts';

const NEVER = "DATE '9999-12-31'";
/** Events so soon after a cancellation still belong to it. */
const TRAILING = `INTERVAL ${RETURN_AFTER_MINUTES} MINUTES`;

/**
 * Each user's days with their spells, over a view of the days. A session that goes on over midnight is one session:
 * where a day begins with the session that the user's previous active day ended with, the session is counted on the day
 * it began, and the gap between the two belongs to it.
 *
 * `absences` are the days between which a user is gone: not living at cutoffs after the first and up to the second.
 * `returned_at` is when a new spell began on this day (on the day of the cancellation itself, the start of the day's last
 * session, as those between are not known by themselves), `cancelled_on` all days with a churn event, past and future.
 */
export function daysSql({
  churn = CHURN_EVENT,
  from = 'user_days',
}: {
  readonly churn?: ChurnEvent;
  readonly from?: string;
} = {}): string {
  const ended = churn.endsSpell
    ? `COALESCE(last_event_at <= latest_cancelled_at + ${TRAILING}, FALSE)`
    : 'FALSE';
  const returned = churn.endsSpell
    ? [
        'CASE',
        '    WHEN spell_ended THEN NULL',
        '    WHEN LAG(spell_ended) OVER chronology OR last_cancelled_at IS NOT NULL THEN IF(',
        `      first_event_at > latest_cancelled_at + ${TRAILING},`,
        '      first_event_at,',
        '      GREATEST(last_session_started_at, latest_cancelled_at)',
        '    )',
        '  END',
      ].join('\n')
    : 'CAST(NULL AS TIMESTAMP_NTZ)';
  return `
WITH neighbours AS (
  SELECT
    *,
    COALESCE(first_session_id = LAG(last_session_id) OVER chronology, FALSE) AS continues_session,
    LAG(last_session_ended_at) OVER chronology AS previous_session_ended_at,
    DATEDIFF(day, LAG(day) OVER chronology) AS absence_days,
    LEAD(day) OVER chronology AS next_day,
    MAX(last_cancelled_at) OVER chronology AS latest_cancelled_at
  FROM ${from}
  WINDOW chronology AS (PARTITION BY user_id ORDER BY day)
),
ends AS (
  SELECT *, ${ended} AS spell_ended
  FROM neighbours
)
SELECT
  *,
  ${returned} AS returned_at,
  COLLECT_LIST(IF(cancellations > 0, day, NULL)) OVER (PARTITION BY user_id) AS cancelled_on,
  COLLECT_LIST(IF(spell_ended, STRUCT(day AS after, COALESCE(next_day, ${NEVER}) AS until), NULL))
    OVER (PARTITION BY user_id) AS absences,
  sessions - INT(continues_session) AS begun_sessions,
  session_seconds + IF(
    continues_session,
    TIMESTAMPDIFF(MILLISECOND, previous_session_ended_at, first_session_started_at) / 1000,
    0
  ) AS joined_session_seconds
FROM ends
WINDOW chronology AS (PARTITION BY user_id ORDER BY day)`.trim();
}

/** Days known at each cutoff, of users who are living at it; the label and the absences are all that looks ahead. */
export const HISTORY_SQL = `
SELECT /*+ BROADCAST(cutoffs) */
  days.*,
  cutoff,
  role,
  first_day,
  DATEDIFF(cutoff, day) AS age,
${DECAYS.map(({ column, sql }) => `  ${sql} AS ${column},`).join('\n')}
  IF(role = 'score', NULL, INT(EXISTS(cancelled_on, on -> on >= cutoff AND on < label_end))) AS label
FROM days
JOIN cutoffs
  ON day >= first_day
  AND day < cutoff
  AND NOT EXISTS(absences, gone -> gone.after < cutoff AND cutoff <= gone.until)`.trim();

/** Users of the view `days`: how many there are, have ever cancelled, have come back, and then cancelled again. */
export const USERS_SQL = `
SELECT
  COUNT(*) AS users,
  COUNT_IF(cancellations > 0) AS cancellations,
  COUNT_IF(returns > 0) AS returned_users,
  -- Of a user's spells after the first, all have ended but the last, which may have.
  COALESCE(SUM(IF(returns > 0, returns - 1 + INT(spell_ended), 0)), 0) AS second_cancellations
FROM (
  SELECT
    user_id,
    SUM(cancellations) AS cancellations,
    COUNT(returned_at) AS returns,
    MAX_BY(spell_ended, day) AS spell_ended
  FROM days
  GROUP BY user_id
)`.trim();
