/**
 * Versions of the rows of cutoffs: the same as before where nothing has changed that the rows depend on. A cutoff depends on
 * all days before the end of its label window, on the log's first day, and on what computes features and labels.
 */
import { createHash } from 'node:crypto';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { compileFeatures } from '../../domain/features/compile.ts';
import { FEATURES_TABLE } from '../../domain/features/features-table.ts';
import { USER_DAYS } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { cutoffs } from './cutoffs.ts';
import { icebergTables } from './jvm.ts';
import { snapshotChanges } from './snapshots.ts';
import { daysSql, HISTORY_SQL } from './spells.ts';
import { tableName } from './table-name.ts';
import { planTypes } from './types.ts';
import { ROLL_UP_HASH } from './user-days.ts';

const { aggregate, projection } = compileFeatures(FEATURES);

/** Names what features and labels are computed by. */
const CATALOGUE_HASH = createHash('sha256')
  .update([daysSql(), HISTORY_SQL, aggregate, projection, ROLL_UP_HASH].join('\n'))
  .digest('hex')
  .slice(0, 16);

export const featureVersions = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, icebergTables, snapshotChanges, cutoffs],
  imports: [
    'import datetime',
    'import json',
    'from typing import NamedTuple',
    'from pyspark.sql import SparkSession',
  ],
  constants: python`
    USER_DAYS = ${USER_DAYS.name}
    FEATURES = ${FEATURES_TABLE.name}
    CATALOGUE_HASH = ${CATALOGUE_HASH}

    # Properties of a snapshot of features: the snapshot of user_days that it was computed from, what else it depends on, and
    # the version of each cutoff as JSON.
    COMPUTED_FROM = ${'computed-from-user-days-snapshot'}
    COMPUTED_BY = ${'computed-by'}
    CUTOFF_VERSIONS = ${'cutoff-versions'}
  `,
  code: python`
    class Computed(NamedTuple):
        """What features were computed from: a snapshot of user_days, and all else; with the version of each cutoff."""

        user_days: str
        by: str
        versions: dict[datetime.date, str]

        def properties(self) -> dict[str, str]:
            """As properties of a snapshot."""
            versions = {str(cutoff): version for cutoff, version in sorted(self.versions.items())}
            return {COMPUTED_FROM: self.user_days, COMPUTED_BY: self.by, CUTOFF_VERSIONS: json.dumps(versions)}


    def computed_by(period: Period, settings: TrainingSettings) -> str:
        """What features depend on besides days: with another one, all of them are other rows."""
        anchor = grid_anchor(period, settings)
        return json.dumps([CATALOGUE_HASH, settings["horizonDays"], str(anchor), str(period.first_day)])


    def computed_before(spark: SparkSession, plan: Plan) -> Computed | None:
        """What the features that readers see were computed from; none where an earlier release wrote them."""
        table = table_name(plan, FEATURES)
        if not spark.catalog.tableExists(table):
            return None
        snapshot = last_change(iceberg_table(spark, table))
        if snapshot is None:
            return None
        found = [snapshot.summary().get(name) for name in (COMPUTED_FROM, COMPUTED_BY, CUTOFF_VERSIONS)]
        user_days, by, versions = found
        if user_days is None or by is None or versions is None:
            return None
        by_cutoff: dict[str, str] = json.loads(versions)
        known = {datetime.date.fromisoformat(cutoff): version for cutoff, version in by_cutoff.items()}
        return Computed(user_days, by, known)


    def first_changed_day(spark: SparkSession, plan: Plan, user_days: str, since: str) -> datetime.date:
        """The first day of user_days that another snapshot does not share; the first of all where it is gone."""
        table = iceberg_table(spark, table_name(plan, USER_DAYS))
        snapshots = snapshots_since(table, table.snapshot(int(user_days)), since)
        if snapshots is None:
            return datetime.date.min
        return min(days_changed_by_all(spark, table, snapshots), default=datetime.date.max)


    def unchanged_versions(
        spark: SparkSession, plan: Plan, user_days: str, before: Computed
    ) -> dict[datetime.date, str]:
        """The cutoffs whose rows are the same as before, with their versions."""
        horizon = datetime.timedelta(days=plan["training"]["horizonDays"])
        changed = first_changed_day(spark, plan, user_days, before.user_days)
        return {cutoff: version for cutoff, version in before.versions.items() if cutoff + horizon <= changed}


    def kept_versions(
        unchanged: dict[datetime.date, str],
        wanted: list[datetime.date],
        period: Period,
        settings: TrainingSettings,
    ) -> dict[datetime.date, str]:
        """Of the cutoffs that are the same, those to keep: of this run, and newer ones of the grid.

        A run that looks back to an earlier day leaves what later ones have computed.
        """
        anchor, step = grid_anchor(period, settings), datetime.timedelta(days=settings["cutoffStepDays"])
        newest = max(wanted)
        return {
            cutoff: version
            for cutoff, version in unchanged.items()
            if cutoff in wanted or (cutoff > newest and not (cutoff - anchor) % step)
        }
  `,
});
