/** How often each page, level and device came on each of the newest days: whether one has gone quiet is said of it later. */
import { SOURCE_DAYS, SOURCES } from '../../domain/sources.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { DEVICE_SQL } from './device-sql.ts';
import { sqlText } from './sql.ts';
import { featuresTypes } from './types.ts';

const COUNTS = `
SELECT
  day,
  SUM(events) AS events,
  COUNT(*) AS users,
${SOURCES.map(({ sql }, index) => `  ${sql} AS source_${index}`).join(',\n')}
FROM (
  SELECT *, ${DEVICE_SQL} AS device
  FROM source_days
)
GROUP BY day
ORDER BY day`.trim();

export const sources = fragment({
  file: import.meta.url,
  needs: [featuresTypes],
  imports: ['import datetime', 'from pyspark.sql import DataFrame', 'from pyspark.sql import functions as F'],
  constants: python`
    SOURCE_COUNTS = ${sqlText(COUNTS)}

    # Kind and name of each source, in the order of the columns.
    SOURCE_KINDS: list[SourceKind] = ${SOURCES.map(({ kind }) => kind)}
    SOURCE_NAMES = ${SOURCES.map(({ name }) => name)}
    SOURCE_DAYS = ${SOURCE_DAYS}
  `,
  code: python`
    def daily_sources(user_days: DataFrame, end: datetime.date) -> DailySources:
        """How often each page, level and device came on the newest days before the end of the log."""
        first = end - datetime.timedelta(days=SOURCE_DAYS)
        newest = user_days.where((F.col("day") >= F.lit(first)) & (F.col("day") < F.lit(end)))
        newest.createOrReplaceTempView("source_days")
        rows = user_days.sparkSession.sql(SOURCE_COUNTS).collect()
        return {
            "days": [{"day": str(row.day), "events": row.events, "users": row.users} for row in rows],
            "counts": [
                {"kind": kind, "name": name, "counts": [row[f"source_{index}"] for row in rows]}
                for index, (kind, name) in enumerate(zip(SOURCE_KINDS, SOURCE_NAMES, strict=True))
            ],
        }
  `,
});
