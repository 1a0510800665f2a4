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
        roles = [
            (datetime.date.fromisoformat(cutoff["cutoff"]), cutoff["role"])
            for cutoff in built["cutoffs"]
            if cutoff["role"] != "score"
        ]
        wanted = features.where(F.col("cutoff").isin([cutoff for cutoff, _ in roles]))
        # A column by CASE would be pushed down to the table, where Spark 3.5 fails on conditions that are never true.
        return wanted.join(F.broadcast(spark.createDataFrame(roles, "cutoff date, role string")), "cutoff")
  `,
});
