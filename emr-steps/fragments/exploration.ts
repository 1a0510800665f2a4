/** Who leaves: users who cancelled beside those who stayed, counted from their days. One small answer, whatever the size. */
import {
  EXPLORED_MEASURES,
  EXPLORED_PAGES,
  EXPLORED_QUANTILES,
  EXPLORED_VARIABLES,
  type ExploredMeasure,
  type ExploredVariableName,
  HOURS,
  TENURE_BANDS,
  UNKNOWN,
  WEEKDAYS,
} from '../../domain/exploration.ts';
import { USER_DAYS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { DEVICE_SQL } from './device-sql.ts';
import { hazards } from './hazards.ts';
import { sqlText } from './sql.ts';
import { storedFigures } from './stored-figures.ts';
import { survival } from './survival.ts';
import { sqlString } from './tables.ts';
import { trainingTypes } from './types.ts';

const SECONDS_PER_HOUR = 3_600;
const SUMMED = [
  ...new Set([
    ...EXPLORED_PAGES.map(({ column }) => column),
    ...EXPLORED_MEASURES.map(({ of }) => of),
    ...['events', 'songs', 'sessions', 'session_seconds'],
  ]),
];
const KNOWN = new Set<string>(USER_DAYS.columns.map(({ name }) => name));
const strange = SUMMED.filter((column) => !KNOWN.has(column));
if (strange.length > 0) throw new Error(`user_days has no column ${strange.join(', ')}`);

/** One row a user: with all days, also those of users who came back; `left_at` is the first cancellation, or the end of the log. */
const USERS = `
SELECT
  user_id,
  MAX(last_cancelled_at) IS NOT NULL AS has_cancelled,
  COALESCE(MIN(last_cancelled_at), TIMESTAMP_NTZ '{end}') AS left_at,
  MIN(first_event_at) AS first_at,
  MAX_BY(registered_at, last_event_at) AS registered_at,
  COALESCE(MAX_BY(level, last_event_at), ${sqlString(UNKNOWN)}) AS level,
  COALESCE(MIN_BY(level, first_event_at), ${sqlString(UNKNOWN)}) AS first_level,
  COALESCE(MAX_BY(gender, last_event_at), ${sqlString(UNKNOWN)}) AS gender,
  MAX_BY(location, last_event_at) AS location,
  MAX_BY(user_agent, last_event_at) AS user_agent,
${SUMMED.map((column) => `  SUM(${column}) AS ${column},`).join('\n')}
${WEEKDAYS.map((_, index) => `  SUM(IF(DAYOFWEEK(day) = ${index + 1}, events, 0)) AS weekday_${index + 1},`).join('\n')}
${HOURS.map((hour) => `  SUM(SHIFTRIGHT(active_hours, ${hour}) & 1) AS hour_${hour},`).join('\n')}
  SUM(BIT_COUNT(active_hours)) AS active_hours,
  SUM(session_seconds) / ${SECONDS_PER_HOUR}D AS hours,
  (DATEDIFF(IF(MAX(last_cancelled_at) IS NULL, DATE_SUB('{end}', 1), MAX(day)), MIN(day)) + 1) / 7D AS weeks
FROM {days}
WHERE day < DATE '{end}'
GROUP BY user_id`.trim();

const TENURE = 'DATEDIFF(left_at, registered_at)';
const VALUES: Record<ExploredVariableName, string> = {
  level: 'level',
  gender: 'gender',
  device: DEVICE_SQL,
  tenure: [
    `CASE WHEN registered_at IS NULL THEN ${sqlString(UNKNOWN)}`,
    ...TENURE_BANDS.toReversed()
      .filter(({ fromDays }) => fromDays > 0)
      .map(({ value, fromDays }) => `WHEN ${TENURE} >= ${fromDays} THEN ${sqlString(value)}`),
    `ELSE ${sqlString(TENURE_BANDS[0]?.value ?? '')} END`,
  ].join('\n    '),
  // The first state of an area that lies in several.
  state: `COALESCE(NULLIF(REGEXP_EXTRACT(location, ', ([A-Z][A-Z])', 1), ''), ${sqlString(UNKNOWN)})`,
};
const GROUPS = `
SELECT variable, value, COUNT_IF(has_cancelled) AS churned, COUNT_IF(NOT has_cancelled) AS stayed
FROM (
  SELECT has_cancelled, STACK(
    ${EXPLORED_VARIABLES.length},
    ${EXPLORED_VARIABLES.map(({ name }) => `${sqlString(name)}, ${VALUES[name]}`).join(',\n    ')}
  ) AS (variable, value)
  FROM explored_users
)
GROUP BY variable, value`.trim();

const PER: Record<ExploredMeasure['per'], string> = {
  hour: 'hours',
  week: 'weeks',
  session: 'sessions',
  song: 'songs',
};
const measureSql = ({ of, per, times = 1 }: ExploredMeasure): string =>
  `${times}D * ${of} / NULLIF(${PER[per]}, 0)`;
const FIGURES = `
SELECT
  has_cancelled,
  COUNT(*) AS users,
${EXPLORED_PAGES.map(({ column }) => `  SUM(${column}) / NULLIF(SUM(hours), 0) AS page_${column},`).join('\n')}
${WEEKDAYS.map((_, index) => `  SUM(weekday_${index + 1}) / NULLIF(SUM(events), 0) AS weekday_${index + 1},`).join('\n')}
${HOURS.map((hour) => `  SUM(hour_${hour}) / NULLIF(SUM(active_hours), 0) AS hour_${hour},`).join('\n')}
${EXPLORED_MEASURES.map(
  (measure) =>
    `  PERCENTILE_APPROX(\n    ${measureSql(measure)},\n    ARRAY(${EXPLORED_QUANTILES.join(', ')}), 1000\n  ) AS measure_${measure.name}`,
).join(',\n')}
FROM explored_users
GROUP BY has_cancelled`.trim();

export const exploration = fragment({
  file: import.meta.url,
  needs: [trainingTypes, storedFigures, survival, hazards],
  imports: ['import datetime', 'from pyspark.sql import DataFrame, Row, SparkSession'],
  constants: python`
    EXPLORED_USERS = ${sqlText(USERS)}

    EXPLORED_GROUPS = ${sqlText(GROUPS)}

    EXPLORED_FIGURES = ${sqlText(FIGURES)}

    EXPLORED_PAGES = ${EXPLORED_PAGES.map(({ column }) => column)}
    EXPLORED_MEASURES = ${EXPLORED_MEASURES.map(({ name }) => name)}
    WEEKDAYS = ${[...WEEKDAYS]}
    HOURS = ${[...HOURS]}
  `,
  code: python`
    def explored_figure(name: str, column: str, rows: dict[bool, Row]) -> ExploredFigure:
        """A figure of those who cancelled and of those who stayed."""
        churned, stayed = (rows[which][column] if which in rows else None for which in (True, False))
        return {
            "name": name,
            "churned": None if churned is None else stored(churned),
            "stayed": None if stayed is None else stored(stayed),
        }


    def explored_measure(name: str, rows: dict[bool, Row]) -> ExploredMeasure:
        """The quantiles of a measure among those who cancelled and those who stayed."""
        churned, stayed = (rows[which][f"measure_{name}"] if which in rows else None for which in (True, False))
        return {
            "name": name,
            "churned": [stored(quantile) for quantile in churned or []],
            "stayed": [stored(quantile) for quantile in stayed or []],
        }


    def explore(spark: SparkSession, user_days: DataFrame, end: datetime.date) -> Exploration:
        """Who leaves, by what was known of the users before the end of the log."""
        user_days.createOrReplaceTempView("explored_days")
        users = spark.sql(EXPLORED_USERS.format(days="explored_days", end=end)).cache()
        users.createOrReplaceTempView("explored_users")
        try:
            groups = spark.sql(EXPLORED_GROUPS).collect()
            rows = {row.has_cancelled: row for row in spark.sql(EXPLORED_FIGURES).collect()}
            curves = survival_curves(spark, "explored_users")
        finally:
            users.unpersist()
        held: list[ExploredGroup] = [
            {"variable": row.variable, "value": row.value, "churned": row.churned, "stayed": row.stayed}
            for row in sorted(groups, key=lambda row: (row.variable, -row.churned - row.stayed, row.value))
        ]
        return {
            "churned": rows[True].users if True in rows else 0,
            "stayed": rows[False].users if False in rows else 0,
            "groups": held,
            "measures": [explored_measure(name, rows) for name in EXPLORED_MEASURES],
            "pages": [explored_figure(name, f"page_{name}", rows) for name in EXPLORED_PAGES],
            "weekdays": [
                explored_figure(name, f"weekday_{index}", rows) for index, name in enumerate(WEEKDAYS, 1)
            ],
            "hours": [explored_figure(str(hour), f"hour_{hour}", rows) for hour in HOURS],
            "survival": curves,
            "hazards": daily_hazards(user_days, end),
        }
  `,
});
