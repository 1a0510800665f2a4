/** What came true of the scores of earlier runs, counted once the log has reached the end of their horizon. */
import { OUTCOME_ROWS, RUN_RECORD } from '../../domain/lake-objects.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { files } from './files.ts';
import { sqlText } from './sql.ts';
import { planTypes, scoringTypes } from './types.ts';

/** Rows of earlier versions lack the end of their horizon: it is taken to be as long as that of this run. */
const HORIZON_END = 'COALESCE(horizon_end, DATE_ADD(cutoff, {horizon}))';

const DUE = `
SELECT *
FROM (
  SELECT run_id, MAX(cutoff) AS scored_at, MAX(${HORIZON_END}) AS known_from
  FROM {scores}
  WHERE run_id IN ({runs})
  GROUP BY run_id
)
WHERE known_from <= DATE '{end}'
ORDER BY scored_at DESC, run_id`.trim();

/** A sum of decimals does not depend on the order of its parts. */
const GROUPS = `
WITH cancelled AS (
  SELECT user_id, COLLECT_SET(day) AS days
  FROM outcome_days
  WHERE cancellations > 0 AND day >= DATE '{first}' AND day < DATE '{last}'
  GROUP BY user_id
)
SELECT
  run_id,
  decile,
  in_control_group,
  worth_contacting,
  COUNT(*) AS users,
  CAST(SUM(CAST(probability AS DECIMAL(20, 12))) AS DOUBLE) AS predicted,
  COUNT_IF(COALESCE(
    EXISTS(days, day -> day >= cutoff AND day < ${HORIZON_END}),
    FALSE
  )) AS observed
FROM {scores}
LEFT JOIN cancelled USING (user_id)
WHERE run_id IN ({runs})
GROUP BY run_id, decile, in_control_group, worth_contacting
ORDER BY run_id, decile, in_control_group, worth_contacting`.trim();

export const outcomes = fragment({
  file: import.meta.url,
  needs: [planTypes, scoringTypes, files],
  imports: ['import json', 'from pyspark.sql import DataFrame, SparkSession'],
  constants: python`
    OUTCOMES_FOLDER = ${OUTCOME_ROWS.folder}
    RECORD_OF_RUN = ${RUN_RECORD.of('{run_id}').key}
    # Of a lake that has not counted any, the newest come first and the others with the next runs.
    MOST_OUTCOMES = 100

    DUE_OUTCOMES = ${sqlText(DUE)}

    OUTCOME_GROUPS = ${sqlText(GROUPS)}
  `,
  code: python`
    def runs_without_outcome(spark: SparkSession, files: Files, plan: Plan, scores: str) -> list[str]:
        """Earlier runs that have scored and succeeded, and of which it is not known what came true."""
        root = plan["lakeRoot"]
        known = {name.removesuffix(".json") for name in files.names(f"{root}/{OUTCOMES_FOLDER}")}
        # Iceberg's own list of the partitions: no row is read.
        scored = {row.run_id for row in spark.table(f"{scores}.partitions").select("partition.run_id").collect()}

        def has_succeeded(run_id: str) -> bool:
            uri = f"{root}/{RECORD_OF_RUN.format(run_id=run_id)}"
            return files.exists(uri) and files.read_json(uri)["status"] == "SUCCEEDED"

        return [run_id for run_id in sorted(scored - known - {plan["runId"]}) if has_succeeded(run_id)]


    def run_literals(run_ids: list[str]) -> str:
        """Ids of runs as literals of SQL: they are made of letters, digits and what needs no escape."""
        return ", ".join(json.dumps(run_id) for run_id in run_ids)


    def count_outcomes(
        spark: SparkSession, files: Files, plan: Plan, scores: str, user_days: DataFrame, observation_end: str
    ) -> list[RunOutcome]:
        """What came true of the runs whose horizon the log has passed and whose outcome is not known yet.

        A second call counts the same, until StoreMetrics has stored it; no user is named.
        """
        waiting = runs_without_outcome(spark, files, plan, scores)
        if not waiting:
            return []
        terms = {"scores": scores, "horizon": plan["training"]["horizonDays"]}
        due = spark.sql(DUE_OUTCOMES.format(runs=run_literals(waiting), end=observation_end, **terms)).collect()
        if not due:
            return []
        due = due[:MOST_OUTCOMES]
        user_days.createOrReplaceTempView("outcome_days")
        counted = spark.sql(
            OUTCOME_GROUPS.format(
                runs=run_literals([run.run_id for run in due]),
                first=min(run.scored_at for run in due),
                last=max(run.known_from for run in due),
                **terms,
            )
        ).collect()
        groups: dict[str, list[OutcomeGroup]] = {run.run_id: [] for run in due}
        for row in counted:
            groups[row.run_id].append(
                {
                    "decile": row.decile,
                    "inControlGroup": row.in_control_group,
                    "worthContacting": row.worth_contacting,
                    "users": row.users,
                    "predicted": row.predicted,
                    "observed": row.observed,
                }
            )
        return [
            {
                "runId": run.run_id,
                "cutoff": str(run.scored_at),
                "horizonEnd": str(run.known_from),
                "groups": groups[run.run_id],
            }
            for run in due
        ]
  `,
});
