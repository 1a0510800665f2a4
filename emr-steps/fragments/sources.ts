/** How often each page, level, authentication state and device came on each of the newest days: whether one has gone quiet is said of it later. */
import { EVENT_SOURCES, SOURCE_DAYS, type Source, USER_SOURCES } from '../../domain/sources.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { DEVICE_SQL } from './device-sql.ts';
import { sqlText } from './sql.ts';
import { featuresTypes } from './types.ts';

const columns = (sources: readonly Source[]): string =>
  sources.map(({ sql }, index) => `  ${sql} AS source_${index}`).join(',\n');

const EVENT_COUNTS = `
SELECT
  day,
  SUM(events) AS events,
${columns(EVENT_SOURCES)}
FROM event_source_days
GROUP BY day
ORDER BY day`.trim();

const USER_COUNTS = `
SELECT
  day,
  COUNT(*) AS users,
${columns(USER_SOURCES)}
FROM (
  SELECT *, ${DEVICE_SQL} AS device
  FROM user_source_days
)
GROUP BY day`.trim();

export const sources = fragment({
  file: import.meta.url,
  needs: [featuresTypes],
  imports: [
    'import datetime',
    'from pyspark.sql import DataFrame, Row',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # Devices are counted in users, all others in events.
    EVENT_SOURCE_COUNTS = ${sqlText(EVENT_COUNTS)}

    USER_SOURCE_COUNTS = ${sqlText(USER_COUNTS)}

    # Kind and name of each source, in the order of the columns.
    EVENT_SOURCE_KINDS: list[SourceKind] = ${EVENT_SOURCES.map(({ kind }) => kind)}
    EVENT_SOURCE_NAMES = ${EVENT_SOURCES.map(({ name }) => name)}
    USER_SOURCE_KINDS: list[SourceKind] = ${USER_SOURCES.map(({ kind }) => kind)}
    USER_SOURCE_NAMES = ${USER_SOURCES.map(({ name }) => name)}
    SOURCE_DAYS = ${SOURCE_DAYS}
  `,
  code: python`
    def source_counts(kinds: list[SourceKind], names: list[str], rows: list[Row | None]) -> list[SourceCounts]:
        """How often each of the sources came on each day; on a day without a row, not at all."""
        return [
            {
                "kind": kind,
                "name": name,
                "counts": [0 if row is None else row[f"source_{index}"] for row in rows],
            }
            for index, (kind, name) in enumerate(zip(kinds, names, strict=True))
        ]


    def daily_sources(user_days: DataFrame, page_days: DataFrame, end: datetime.date) -> DailySources:
        """How often each source came on the newest days before the end of the log."""
        first = end - datetime.timedelta(days=SOURCE_DAYS)
        newest = (F.col("day") >= F.lit(first)) & (F.col("day") < F.lit(end))
        user_days.where(newest).createOrReplaceTempView("user_source_days")
        page_days.where(newest).createOrReplaceTempView("event_source_days")
        days: list[Row] = page_days.sparkSession.sql(EVENT_SOURCE_COUNTS).collect()
        users = {row.day: row for row in user_days.sparkSession.sql(USER_SOURCE_COUNTS).collect()}
        of_users = [users.get(row.day) for row in days]
        return {
            "days": [
                {"day": str(row.day), "events": row.events, "users": 0 if found is None else found.users}
                for row, found in zip(days, of_users, strict=True)
            ],
            "counts": [
                *source_counts(EVENT_SOURCE_KINDS, EVENT_SOURCE_NAMES, [*days]),
                *source_counts(USER_SOURCE_KINDS, USER_SOURCE_NAMES, of_users),
            ],
        }
  `,
});
