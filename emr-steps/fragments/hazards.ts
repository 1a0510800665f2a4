/**
 * On which days users leave: confirmations over the days on which users were at risk, counted from their days without a row for
 * each of them. A user is at risk on each day of a spell, from its first to the one of the cancellation, active or not.
 */
import { RETURN_AFTER_MINUTES } from '../../domain/events.ts';
import { WEEKDAYS } from '../../domain/exploration.ts';
import { type HAZARD_VARIABLES, LEVEL_CHANGE_BANDS, NO_LEVEL_CHANGE } from '../../domain/hazards.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { daysWithSpells } from './days-with-spells.ts';
import { sqlText } from './sql.ts';
import { trainingTypes } from './types.ts';

/** Days of the spell from an active day up to the next one: a cancellation ends them at once. What trails one is no spell. */
const STRETCHES = `
SELECT
  user_id,
  cancelled,
  -- Days since a Sunday, 4 January 1970.
  DATEDIFF(day, DATE '1970-01-04') AS first,
  DATEDIFF(last, DATE '1970-01-04') AS last,
  DATEDIFF(day, changed_on) AS since_first,
  DATEDIFF(last, changed_on) AS since_last
FROM (
  SELECT
    user_id,
    day,
    IF(spell_ended, day, DATE_SUB(COALESCE(next_day, DATE '{end}'), 1)) AS last,
    last_cancelled_at IS NOT NULL AS cancelled,
    MAX(IF(upgrades + downgrades > 0, day, NULL)) OVER chronology AS changed_on,
    COALESCE(
      spell_ended
        AND LAG(spell_ended) OVER chronology
        AND last_event_at <= LAG(latest_cancelled_at) OVER chronology + INTERVAL ${RETURN_AFTER_MINUTES} MINUTES,
      FALSE
    ) AS is_trailing
  FROM {days}
  WINDOW chronology AS (PARTITION BY user_id ORDER BY day)
)
WHERE NOT is_trailing`.trim();

interface Part {
  readonly variable: (typeof HAZARD_VARIABLES)[number]['name'];
  readonly value: string;
  /** Days of a stretch that belong to it. */
  readonly days: string;
  /** Whether the first day of a stretch does, on which alone a user can have cancelled. */
  readonly first: string;
}

const PARTS: readonly Part[] = [
  ...WEEKDAYS.map((value, weekday) => ({
    variable: 'weekday' as const,
    value,
    // Such days up to the last, without those before the first.
    days: `FLOOR((last - ${weekday}) / 7) - FLOOR((first - 1 - ${weekday}) / 7)`,
    first: `PMOD(first, 7) = ${weekday}`,
  })),
  ...LEVEL_CHANGE_BANDS.map(({ value, fromDays, toDays }) => ({
    variable: 'level_change' as const,
    value,
    days: [
      `IF(since_last IS NULL, 0, GREATEST(0, `,
      toDays === undefined ? 'since_last' : `LEAST(since_last, ${toDays})`,
      ` - GREATEST(since_first, ${fromDays}) + 1))`,
    ].join(''),
    first: `since_first >= ${fromDays}${toDays === undefined ? '' : ` AND since_first <= ${toDays}`}`,
  })),
  {
    variable: 'level_change',
    value: NO_LEVEL_CHANGE,
    days: 'IF(since_last IS NULL, last - first + 1, 0)',
    first: 'since_first IS NULL',
  },
];

const BY_USER = `
SELECT
  user_id,
${PARTS.map(
  ({ days, first }, index) =>
    `  SUM(${days}) AS days_${index},\n  COUNT_IF(cancelled AND ${first}) AS cancelled_${index}`,
).join(',\n')}
FROM {stretches}
GROUP BY user_id`.trim();

const TOTALS = `
SELECT
${PARTS.map(
  (_, index) =>
    `  COUNT_IF(days_${index} > 0) AS users_${index},\n  COALESCE(SUM(days_${index}), 0) AS days_${index},\n  COALESCE(SUM(cancelled_${index}), 0) AS cancelled_${index}`,
).join(',\n')}
FROM {users}`.trim();

export const hazards = fragment({
  file: import.meta.url,
  needs: [trainingTypes, daysWithSpells],
  imports: ['import datetime', 'from pyspark.sql import DataFrame', 'from pyspark.sql import functions as F'],
  constants: python`
    DAYS_AT_RISK = ${sqlText(STRETCHES)}

    DAYS_AT_RISK_BY_USER = ${sqlText(BY_USER)}

    DAYS_AT_RISK_IN_ALL = ${sqlText(TOTALS)}

    # Variable and value of each part of the days, in the order of the columns.
    HAZARD_VARIABLES: list[HazardVariable] = ${PARTS.map(({ variable }) => variable)}
    HAZARD_VALUES = ${PARTS.map(({ value }) => value)}
  `,
  code: python`
    def daily_hazards(user_days: DataFrame, end: datetime.date) -> list[Hazard]:
        """How many days users were at risk before the end of the log, and on how many of them one cancelled."""
        spark = user_days.sparkSession
        days = days_with_spells(user_days.where(F.col("day") < F.lit(end)))
        stretches = spark.sql(DAYS_AT_RISK, days=days, end=end)
        users = spark.sql(DAYS_AT_RISK_BY_USER, stretches=stretches)
        (totals,) = spark.sql(DAYS_AT_RISK_IN_ALL, users=users).collect()
        return [
            {
                "variable": variable,
                "value": value,
                "users": totals[f"users_{index}"],
                "days": totals[f"days_{index}"],
                "cancelled": totals[f"cancelled_{index}"],
            }
            for index, (variable, value) in enumerate(zip(HAZARD_VARIABLES, HAZARD_VALUES, strict=True))
        ]
  `,
});
