/** How many rows there are to learn from and to test on. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

export const census = fragment({
  file: import.meta.url,
  imports: [
    'import datetime',
    'from typing import TypedDict',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  code: python`
    class Census(TypedDict):
        """Rows and cancellations of one role, users who cancel, and the newest cutoff."""

        rows: int
        cancellations: int
        cancellers: int
        users: int
        cutoff: datetime.date


    def census(features: DataFrame) -> dict[str, Census]:
        """The rows of each role, counted."""
        canceller = F.when(F.col("label") == 1, F.col("user_id"))
        counts = features.groupBy("role").agg(
            F.count(F.lit(1)).alias("rows"),
            F.sum("label").alias("cancellations"),
            F.countDistinct(canceller).alias("cancellers"),
            F.countDistinct("user_id").alias("users"),
            F.max("cutoff").alias("cutoff"),
        )
        return {
            row.role: {
                "rows": row.rows,
                "cancellations": row.cancellations,
                "cancellers": row.cancellers,
                "users": row.users,
                "cutoff": row.cutoff,
            }
            for row in counts.collect()
        }
  `,
});
