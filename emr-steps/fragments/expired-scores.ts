/** The scores of runs that have had their time. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { outcomes } from './outcomes.ts';
import { planTypes } from './types.ts';

export const expiredScores = fragment({
  file: import.meta.url,
  needs: [planTypes, outcomes],
  imports: ['import sys', 'from pyspark.sql import SparkSession'],
  code: python`
    def drop_expired_scores(spark: SparkSession, plan: Plan, scores: str) -> None:
        """Drops the partitions of the runs that the plan names, as far as they are there: no row is read."""
        expired = set(plan["expiredRuns"]) - {plan["runId"]}
        if not expired:
            return
        held = spark.table(f"{scores}.partitions").select("partition.run_id").collect()
        dropped = sorted(expired & {row.run_id for row in held})
        if dropped:
            spark.sql(f"DELETE FROM {scores} WHERE run_id IN ({run_literals(dropped)})")  # noqa: S608
        print(f"dropped the scores of {len(dropped)} runs that have had their time", file=sys.stderr)
  `,
});
