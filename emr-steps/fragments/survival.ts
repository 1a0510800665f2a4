/**
 * How long users stay: Kaplan-Meier curves with delayed entry (Klein and Moeschberger, Survival Analysis, 2003, section 4.6).
 * A user is seen from the first event of the log on, and not from registration: before that nobody could have seen the user
 * cancel, so only from then on the user counts as at risk.
 */
import {
  JOINED_BEFORE,
  LEAST_AT_RISK,
  SURVIVAL_GROUPINGS,
  type SurvivalGroupingName,
} from '../../domain/exploration.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { sqlText } from './sql.ts';
import { storedFigures } from './stored-figures.ts';
import { sqlString } from './tables.ts';
import { trainingTypes } from './types.ts';

const VALUES: Record<SurvivalGroupingName, string> = {
  all: sqlString('all'),
  level: 'first_level',
  joined: `IF(
      registered_at < (SELECT MIN(first_at) FROM {users}),
      ${sqlString(JOINED_BEFORE)}, STRING(DATE(DATE_TRUNC('WEEK', registered_at)))
    )`,
};

/** A user enters before the day of entry, and leaves at the end of the last: so everybody is at risk for a day or more. */
const TIMES = `
SELECT
  has_cancelled,
  GREATEST(DATEDIFF(first_at, registered_at), 0) AS entered,
  GREATEST(DATEDIFF(left_at, registered_at), DATEDIFF(first_at, registered_at), 0) + 1 AS ended,
  STACK(
    ${SURVIVAL_GROUPINGS.length},
    ${SURVIVAL_GROUPINGS.map(({ name }) => `${sqlString(name)}, ${VALUES[name]}`).join(',\n    ')}
  ) AS (grouping, value)
FROM {users}
WHERE registered_at IS NOT NULL`.trim();

const CHANGES = `
SELECT grouping, value, day, SUM(entered) AS entered, SUM(cancelled) AS cancelled, SUM(ended) AS ended
FROM (
  SELECT grouping, value, entered AS day, 1 AS entered, 0 AS cancelled, 0 AS ended FROM survival_times
  UNION ALL
  SELECT grouping, value, ended, 0, INT(has_cancelled), 1 FROM survival_times
)
GROUP BY grouping, value, day`.trim();

export const survival = fragment({
  file: import.meta.url,
  needs: [trainingTypes, storedFigures],
  imports: [
    'import itertools',
    'import math',
    'from collections.abc import Iterable',
    'from typing import NamedTuple',
    'from pyspark.sql import SparkSession',
  ],
  constants: python`
    SURVIVAL_TIMES = ${sqlText(TIMES)}

    SURVIVAL_CHANGES = ${sqlText(CHANGES)}

    LEAST_AT_RISK = ${LEAST_AT_RISK}
    NORMAL_QUANTILE_95 = 1.959964
  `,
  code: python`
    class Change(NamedTuple):
        """How many users enter before the end of a day, and of those at risk on it, how many end, and how many by cancelling."""

        day: int
        entered: int
        cancelled: int
        ended: int


    def survival_points(changes: Iterable[Change]) -> list[SurvivalPoint]:
        """The product-limit estimate on the days on which somebody cancels, with its log-log interval.

        It begins on the first day with enough users at risk: it says who stays of those who have got there.
        """
        points: list[SurvivalPoint] = []
        at_risk, share, variance, has_begun = 0, 1.0, 0.0, False
        for change in sorted(changes):
            has_begun = has_begun or at_risk >= LEAST_AT_RISK
            if change.cancelled and has_begun:
                share *= 1 - change.cancelled / at_risk
                left = at_risk - change.cancelled
                variance += change.cancelled / (at_risk * left) if left else 0.0
                low, high = share, share
                if 0 < share < 1:
                    width = NORMAL_QUANTILE_95 * math.sqrt(variance) / abs(math.log(share))
                    low, high = share ** math.exp(width), share ** math.exp(-width)
                points.append(
                    {
                        "day": change.day,
                        "atRisk": at_risk,
                        "cancelled": change.cancelled,
                        "survival": stored(share),
                        "low": stored(low),
                        "high": stored(high),
                    }
                )
            at_risk += change.entered - change.ended
        return points


    def survival_curves(spark: SparkSession, users: str) -> list[SurvivalCurve]:
        """The curves of all users and of each group, from one row a user."""
        spark.sql(SURVIVAL_TIMES.format(users=users)).createOrReplaceTempView("survival_times")
        rows = sorted(spark.sql(SURVIVAL_CHANGES).collect())
        curves: list[SurvivalCurve] = []
        for (grouping, value), of_group in itertools.groupby(rows, key=lambda row: (row.grouping, row.value)):
            changes = [Change(row.day, row.entered, row.cancelled, row.ended) for row in of_group]
            curves.append(
                {
                    "grouping": grouping,
                    "value": value,
                    "users": sum(change.entered for change in changes),
                    "points": survival_points(changes),
                }
            )
        return curves
  `,
});
