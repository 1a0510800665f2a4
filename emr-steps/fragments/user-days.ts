/** The daily roll-up: additive counters by user and day, from which everything after ingest is computed. */
import { createHash } from 'node:crypto';
import { CHURN_EVENT, USER_AUTHS } from '../../domain/events.ts';
import { PAGE_COUNTERS, PAID_PAGE_COUNTERS, USER_DAYS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { changedDays } from './changed-days.ts';
import { eventsTable } from './events-table.ts';
import { columnTypes, missingColumns } from './missing-columns.ts';
import { newestSnapshot } from './snapshots.ts';
import { sqlText } from './sql.ts';
import { tableName } from './table-name.ts';
import { createTable, sqlString, sqlStrings } from './tables.ts';
import { planTypes } from './types.ts';

/** Base-2 logarithm of the buckets of the artist sketch: 512 buckets, 4 % error, at most 0.5 KB a user and day. */
const ARTIST_SKETCH_BUCKET_BITS = 9;

const LATEST_COLUMNS = ['level', 'gender', 'location', 'user_agent', 'registered_at'];

const counters = PAGE_COUNTERS.map(
  ({ column, page }) => `  COUNT_IF(page = ${sqlString(page)}) AS ${column},`,
);

const paidCounters = PAID_PAGE_COUNTERS.map(
  ({ column, page }) => `  COUNT_IF(level = 'paid' AND page = ${sqlString(page)}) AS ${column},`,
);

const USER_EVENTS = `FROM {events}
WHERE event_date IN ({days}) AND auth IN (${sqlStrings(USER_AUTHS)})`;

/** One row a session and day. All of fixed width, so that Spark compiles the aggregate and sorts no event twice. */
const SESSION_DAYS = `
SELECT
  event_date,
  user_id,
  session_id,
  COUNT(*) AS events,
${counters.join('\n')}
  COUNT_IF(level = 'paid') AS paid_events,
${paidCounters.join('\n')}
  MAX(IF(page = ${sqlString(CHURN_EVENT.page)}, event_time, NULL)) AS last_cancelled_at,
  BIT_OR(SHIFTLEFT(1, HOUR(event_time))) AS active_hours,
  COALESCE(SUM(length_seconds), 0D) AS song_seconds,
  MIN(event_time) AS started_at,
  MAX(event_time) AS ended_at
${USER_EVENTS}
GROUP BY event_date, user_id, session_id`.trim();

/** What is text or a sketch: kept apart, because it holds up an aggregate as a whole. */
const DAY_ATTRIBUTES = `
SELECT
  event_date,
  user_id,
  HLL_SKETCH_AGG(artist, ${ARTIST_SKETCH_BUCKET_BITS}) AS artist_sketch,
  MAX(STRUCT(event_time, item_in_session, ${LATEST_COLUMNS.join(', ')})) AS latest
${USER_EVENTS}
GROUP BY event_date, user_id`.trim();

const SUMMED = [
  ...['events', 'paid_events'],
  ...[...PAGE_COUNTERS, ...PAID_PAGE_COUNTERS].map(({ column }) => column),
];

/** Lengths have five decimals, and are summed in an order of chance: rounded to six, the same events give the same day. */
const ROLL_UP = `
SELECT
  event_date AS day,
  user_id,
${SUMMED.map((column) => `  SUM(${column}) AS ${column},`).join('\n')}
  BIT_OR(active_hours) AS active_hours,
  ROUND(SUM(song_seconds), 6) AS song_seconds,
  MAX(last_cancelled_at) AS last_cancelled_at,
  COUNT(*) AS sessions,
  SUM(TIMESTAMPDIFF(MILLISECOND, started_at, ended_at)) / 1000D AS session_seconds,
  MIN(STRUCT(started_at, ended_at, session_id)) AS first_session,
  MAX(STRUCT(ended_at, started_at, session_id)) AS last_session
FROM session_days
GROUP BY event_date, user_id`.trim();

/** Columns of user_days that are read out of the first and the last session, or of the latest event. */
const READ_OUT: Readonly<Record<string, string>> = {
  first_event_at: 'first_session.started_at',
  last_event_at: 'last_session.ended_at',
  first_session_id: 'first_session.session_id',
  first_session_started_at: 'first_session.started_at',
  first_session_ended_at: 'first_session.ended_at',
  last_session_id: 'last_session.session_id',
  last_session_started_at: 'last_session.started_at',
  last_session_ended_at: 'last_session.ended_at',
  ...Object.fromEntries(LATEST_COLUMNS.map((column) => [column, `latest.${column}`])),
};

const USER_DAY_COLUMNS = USER_DAYS.columns.map(({ name }) => {
  const source = READ_OUT[name];
  return source === undefined ? name : `${source} AS ${name}`;
});

/** Names the definition of the table: with another one, all days are computed again. */
export const ROLL_UP_HASH = createHash('sha256')
  .update([SESSION_DAYS, DAY_ATTRIBUTES, ROLL_UP, ...USER_DAY_COLUMNS].join('\n'))
  .digest('hex')
  .slice(0, 16);

export const userDays = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, eventsTable, newestSnapshot, missingColumns, changedDays],
  imports: ['from pyspark.sql import SparkSession', 'from pyspark.sql import functions as F'],
  constants: python`
    USER_DAYS = ${USER_DAYS.name}
    CREATE_USER_DAYS = ${createTable(USER_DAYS)}

    SESSION_DAYS = ${sqlText(SESSION_DAYS)}

    DAY_ATTRIBUTES = ${sqlText(DAY_ATTRIBUTES)}

    ROLL_UP = ${sqlText(ROLL_UP)}

    USER_DAY_COLUMNS = ${USER_DAY_COLUMNS}

    # Types by column: a lake of an earlier version is given the columns that it lacks.
    USER_DAYS_TYPES = ${columnTypes(USER_DAYS)}

    ROLL_UP_HASH = ${ROLL_UP_HASH}
  `,
  code: python`
    def refresh_user_days(spark: SparkSession, plan: Plan) -> int:
        """Recomputes the days of user_days whose events have changed; returns how many."""
        events, user_days = table_name(plan, EVENTS), table_name(plan, USER_DAYS)
        spark.sql(CREATE_USER_DAYS.format(table=user_days))
        # With another roll-up all days are computed again, and the new columns are filled.
        add_missing_columns(spark, user_days, USER_DAYS_TYPES)
        source = newest_snapshot(spark, events)
        if source is None:
            return 0
        days = changed_days(spark, plan, USER_DAYS, ROLL_UP_HASH)
        if not days:
            return 0
        literals = ", ".join(f"DATE '{day}'" for day in sorted(days))
        spark.sql(SESSION_DAYS.format(events=events, days=literals)).createOrReplaceTempView("session_days")
        attributes = spark.sql(DAY_ATTRIBUTES.format(events=events, days=literals))
        (
            spark.sql(ROLL_UP)
            .join(attributes.withColumnRenamed("event_date", "day"), ["day", "user_id"])
            .selectExpr(*USER_DAY_COLUMNS)
            .repartition("day")
            .sortWithinPartitions("day", "user_id")
            .writeTo(user_days)
            .option(f"snapshot-property.{COMPUTED_FROM}", source)
            .option(f"snapshot-property.{COMPUTED_BY}", ROLL_UP_HASH)
            .overwrite(F.expr(f"day IN ({literals})"))
        )
        return len(days)
  `,
});
