/** Which days of a table that is computed from `events` must be computed again. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { eventsTable } from './events-table.ts';
import { icebergTables } from './jvm.ts';
import { snapshotChanges } from './snapshots.ts';
import { tableName } from './table-name.ts';
import { planTypes } from './types.ts';

export const changedDays = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, icebergTables, eventsTable, snapshotChanges],
  imports: ['import datetime', 'from pyspark.sql import SparkSession'],
  constants: python`
    # Properties of a snapshot: the snapshot of events that it was computed from, and what by.
    COMPUTED_FROM = ${'computed-from-events-snapshot'}
    COMPUTED_BY = ${'computed-by-roll-up'}
  `,
  code: python`
    def changed_days(spark: SparkSession, plan: Plan, computed: str, by: str) -> set[datetime.date]:
        """Days of events that have changed since a table was computed by this definition; all days if by another.

        Found in the lineage of snapshots, not in what this run did: so whatever an interrupted run left is found
        as well, and a second try finds the same.
        """
        events = iceberg_table(spark, table_name(plan, EVENTS))
        since = snapshots_since(events, events.currentSnapshot(), computed_from(spark, plan, computed, by))
        if since is not None:
            return days_changed_by_all(spark, events, since)
        held = spark.table(table_name(plan, EVENTS)).select("event_date")
        known = spark.table(table_name(plan, computed)).select("day")
        return {row.event_date for row in held.union(known).distinct().collect()}


    def computed_from(spark: SparkSession, plan: Plan, computed: str, by: str) -> str | None:
        """The snapshot of events that the table was computed from; none if by another definition."""
        written = last_change(iceberg_table(spark, table_name(plan, computed)))
        if written is None or written.summary().get(COMPUTED_BY) != by:
            return None
        return written.summary().get(COMPUTED_FROM)
  `,
});
