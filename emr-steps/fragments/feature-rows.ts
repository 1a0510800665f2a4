/** Rows of features as BuildFeatures has left them for this run: its cutoffs, with what the rows of each are for. */
import { FEATURES_TABLE } from '../../domain/features/features-table.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { snapshotReading } from './snapshots.ts';
import { tableName } from './table-name.ts';
import { featuresTypes, planTypes } from './types.ts';

export const featureRows = fragment({
  file: import.meta.url,
  needs: [planTypes, featuresTypes, tableName, snapshotReading],
  imports: [
    'import datetime',
    'from pyspark.sql import DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`FEATURES = ${FEATURES_TABLE.name}`,
  code: python`
    def feature_rows(spark: SparkSession, plan: Plan, built: FeaturesResult) -> DataFrame:
        """The rows of the cutoffs of this run, with the column role: train, past or test."""
        snapshot = built["snapshots"]["features"]
        features = read_snapshot(spark, table_name(plan, FEATURES), snapshot)
        roles: dict[str, list[datetime.date]] = {"train": [], "past": [], "test": []}
        for cutoff in built["cutoffs"]:
            if cutoff["role"] in roles:
                roles[cutoff["role"]].append(datetime.date.fromisoformat(cutoff["cutoff"]))
        role = F.when(F.col("cutoff").isin(roles["train"]), "train")
        for name in ("past", "test"):
            role = role.when(F.col("cutoff").isin(roles[name]), name)
        wanted = [day for days in roles.values() for day in days]
        return features.where(F.col("cutoff").isin(wanted)).withColumn("role", role)
  `,
});
