/** How often each page came on each day, by subscription and authentication: also of those who are not signed in. */
import { createHash } from 'node:crypto';
import { PAGE_DAYS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { changedDays } from './changed-days.ts';
import { eventsTable } from './events-table.ts';
import { newestSnapshot } from './snapshots.ts';
import { sqlText } from './sql.ts';
import { tableName } from './table-name.ts';
import { createTable } from './tables.ts';
import { planTypes } from './types.ts';

const PAGE_COUNTS = `
SELECT event_date AS day, page, level, auth, COUNT(*) AS events
FROM {events}
WHERE event_date IN ({days})
GROUP BY event_date, page, level, auth`.trim();

/** Names the definition of the table: with another one, all days are counted again. */
const PAGE_DAYS_HASH = createHash('sha256').update(PAGE_COUNTS).digest('hex').slice(0, 16);

export const pageDays = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, eventsTable, newestSnapshot, changedDays],
  imports: ['from pyspark.sql import SparkSession', 'from pyspark.sql import functions as F'],
  constants: python`
    PAGE_DAYS = ${PAGE_DAYS.name}
    CREATE_PAGE_DAYS = ${createTable(PAGE_DAYS)}

    PAGE_COUNTS = ${sqlText(PAGE_COUNTS)}

    PAGE_DAYS_HASH = ${PAGE_DAYS_HASH}
  `,
  code: python`
    def refresh_page_days(spark: SparkSession, plan: Plan) -> None:
        """Counts the days again whose events have changed; a lake of an earlier version gets the table, of all days."""
        events, page_days = table_name(plan, EVENTS), table_name(plan, PAGE_DAYS)
        spark.sql(CREATE_PAGE_DAYS.format(table=page_days))
        source = newest_snapshot(spark, events)
        days = changed_days(spark, plan, PAGE_DAYS, PAGE_DAYS_HASH) if source else set()
        if source is None or not days:
            return
        literals = ", ".join(f"DATE '{day}'" for day in sorted(days))
        kept = spark.table(page_days).where(f"day NOT IN ({literals})")
        (
            kept.unionByName(spark.sql(PAGE_COUNTS.format(events=events, days=literals)))
            .coalesce(1)
            .sortWithinPartitions("day", "page", "level", "auth")
            .writeTo(page_days)
            .option(f"snapshot-property.{COMPUTED_FROM}", source)
            .option(f"snapshot-property.{COMPUTED_BY}", PAGE_DAYS_HASH)
            .overwrite(F.lit(True))
        )
  `,
});
