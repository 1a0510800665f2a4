/**
 * Earlier cutoffs of the grid, each tested as a run of that time would have been: for the record over time, which decides
 * nothing. A row is learnt from only where its label window had ended by the cutoff under test.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { census } from './census.ts';
import { LEAST_TRAINING_CUTOFFS } from './cutoffs.ts';
import { planTypes, trainingTypes } from './types.ts';

export const pastCutoffs = fragment({
  file: import.meta.url,
  needs: [planTypes, trainingTypes, census],
  imports: [
    'import datetime',
    'from collections.abc import Callable',
    'from typing import TypeAlias',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    PAST_FOLDS = 3
    LEAST_TRAINING_CUTOFFS = ${LEAST_TRAINING_CUTOFFS}
    # Learns everything again from the training rows: the candidate, if it could be fitted, and the recency baseline.
    Judge: TypeAlias = Callable[
        [DataFrame, dict[str, Census], TrainingSettings], tuple[ModelEvaluation | None, ModelEvaluation]
    ]
  `,
  code: python`
    def ended_by(features: DataFrame, cutoff: datetime.date, horizon_days: int) -> DataFrame:
        """The rows at an earlier cutoff as test rows, and as training rows those whose labels were known by then."""
        is_test = F.col("cutoff") == F.lit(cutoff)
        has_ended = F.date_add("cutoff", horizon_days) <= F.lit(cutoff)
        known = features.where("role IN ('train', 'past')").where(is_test | has_ended)
        return known.withColumn("role", F.when(is_test, "test").otherwise("train"))


    def past_cutoffs(features: DataFrame, horizon_days: int) -> dict[datetime.date, int]:
        """The earlier cutoffs that can be tested, oldest first, and how many cutoffs each may learn from."""
        horizon = datetime.timedelta(days=horizon_days)
        rows = features.where("role IN ('train', 'past')").select("cutoff").distinct().collect()
        days = sorted(row.cutoff for row in rows)
        ended = {day: sum(earlier + horizon <= day for earlier in days) for day in days}
        return {day: count for day, count in ended.items() if count >= LEAST_TRAINING_CUTOFFS}


    def tested_before(features: DataFrame, settings: TrainingSettings, judge: Judge) -> list[PastTest]:
        """One row for each earlier cutoff, oldest first."""
        folded: TrainingSettings = {**settings, "folds": min(PAST_FOLDS, settings["folds"])}
        horizon_days = settings["horizonDays"]
        tests: list[PastTest] = []
        for cutoff, training_cutoffs in past_cutoffs(features, horizon_days).items():
            rows = ended_by(features, cutoff, horizon_days)
            counts = census(rows)
            train, test = counts["train"], counts["test"]
            candidate, recency = judge(rows, counts, folded)
            tests.append(
                {
                    "cutoff": str(cutoff),
                    "trainCutoffs": training_cutoffs,
                    "trainRows": train["rows"],
                    "trainCancellations": train["cancellations"],
                    "testRows": test["rows"],
                    "testCancellations": test["cancellations"],
                    "metrics": candidate["metrics"] if candidate else {},
                    "predicted": predicted_cancellations(candidate) if candidate else None,
                    "recency": recency["metrics"],
                }
            )
        return tests


    def predicted_cancellations(evaluation: ModelEvaluation) -> float:
        """What the probabilities of the test rows add up to."""
        return sum(part["predicted"] * part["users"] for part in evaluation["reliability"])
  `,
});
