/** The candidates: how each is fitted, and made to give a score on the log-odds scale. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { boosting } from './boosting.ts';
import { javaErrors } from './jvm.ts';
import { segmentScores } from './segment-scores.ts';
import { planTypes } from './types.ts';

/** Any fitted candidate. */
export const candidateType = fragment({
  file: import.meta.url,
  imports: [
    'from typing import TypeAlias',
    'from pyspark.ml import classification',
    'from xgboost.spark import SparkXGBClassifierModel',
  ],
  constants: python`
    CandidateModel: TypeAlias = (
        classification.LogisticRegressionModel
        | classification.RandomForestClassificationModel
        | SparkXGBClassifierModel
    )
  `,
});

/** Scoring. */
export const scoring = fragment({
  file: import.meta.url,
  needs: [candidateType, segmentScores],
  imports: [
    'from collections.abc import Sequence',
    'from pyspark.ml.functions import array_to_vector, vector_to_array',
    'from pyspark.sql import Column, DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # A forest may be sure; its log-odds must stay finite.
    LEAST_PROBABILITY = 1e-6
    SCORE_DECIMALS = 6
  `,
  code: python`
    def rounded_score(score: Column) -> Column:
        """A raw score as it is kept: rounded so that summation order cannot show, and a zero without a sign.

        Where there are -0.0 and 0.0, which of the two equals a sort or a minimum returns depends on the processor.
        Spark rounds by decimals, which have no -0.0; the sum gives the same to whatever rounds in its place.
        """
        return F.round(score, SCORE_DECIMALS) + F.lit(0.0)


    def with_segment_features(rows: DataFrame, segments: SegmentModel) -> DataFrame:
        """The vector of inputs with what segments say behind; before, as the array input_values."""
        values = with_segments(rows, segments).withColumn("input_values", vector_to_array(F.col("features")))
        return values.withColumn("features", array_to_vector(F.concat("input_values", "segment_inputs")))


    def with_raw_score(
        kind: str,
        model: CandidateModel | None,
        rows: DataFrame,
        segments: SegmentModel | None = None,
        names: Sequence[str] = (),
    ) -> DataFrame:
        """Adds the model's uncalibrated score: log-odds.

        @param segments what the model knows of them, if its kind does; then with the names of the inputs
        """
        if kind == "base_rate":
            return rows.withColumn("raw_score", F.lit(0.0))
        if segments is not None:
            rows = with_segment_features(rows, segments)
            by_segments = F.expr(segment_score(segments, list(names)))
            if model is None:
                return rows.withColumn("raw_score", rounded_score(by_segments))
            trees = vector_to_array(F.col("rawPrediction"))[1]
            scored = model.transform(rows.withColumn("segment_score", by_segments))
            return scored.withColumn("raw_score", rounded_score((F.col("segment_score") + trees) / 2))
        if model is None:
            return rows.withColumn("raw_score", F.lit(0.0))
        scored = model.transform(rows)
        if kind == "random_forest":
            share = vector_to_array(F.col("probability"))[1]
            score = F.log((share + LEAST_PROBABILITY) / (1 - share + LEAST_PROBABILITY))
        else:
            score = vector_to_array(F.col("rawPrediction"))[1]
        return scored.withColumn("raw_score", rounded_score(score))
  `,
});

/** Fitting (train-models only). Parameters were chosen on out-of-fold rows of authentic logs; more trees or depth add time and no precision. */
export const fitting = fragment({
  file: import.meta.url,
  needs: [planTypes, javaErrors, candidateType, scoring, boosting],
  imports: [
    'import math',
    'from collections.abc import Callable',
    'from pyspark.ml import classification',
    'from pyspark.sql import DataFrame',
    'from xgboost.spark import SparkXGBClassifier, SparkXGBClassifierModel',
  ],
  constants: python`
    PENALTY_ROWS = 400
    REGRESSION_ROWS_PER_TASK = 500_000
    BOOSTING_ATTEMPTS = 3
    # What Spark says when an executor that ran a barrier task was lost.
    BARRIER_FAILURE = "Could not recover from a failed barrier"
  `,
  code: python`
    def boost(booster: SparkXGBClassifier, rows: DataFrame) -> SparkXGBClassifierModel:
        """Fits, and fits again when an executor was lost: Spark does not repeat barrier tasks that return a result."""
        for left in reversed(range(BOOSTING_ATTEMPTS)):
            try:
                model: SparkXGBClassifierModel = booster.fit(rows)
                break
            except QUERY_ERRORS as error:
                if left == 0 or BARRIER_FAILURE not in str(error):
                    raise
        return model


    def in_parts(train: DataFrame, parts: int) -> DataFrame:
        """The rows in a number of partitions, whole users in each, in the same order every time."""
        return train.repartition(parts, "user_id").sortWithinPartitions("user_id", "cutoff")


    def fit_logistic_regression(train: DataFrame, rows: int, settings: TrainingSettings) -> CandidateModel:
        """Ridge-penalised logistic regression; it standardises the inputs itself.

        Few large partitions: each iteration is one quick job, and with one partition no sum depends on which
        task finishes first.
        """
        parts = in_parts(train, math.ceil(rows / REGRESSION_ROWS_PER_TASK))
        penalty = PENALTY_ROWS / rows
        regression = classification.LogisticRegression(regParam=penalty, maxIter=40, tol=1e-5)
        model: classification.LogisticRegressionModel = regression.fit(parts)
        return model


    def fit_random_forest(train: DataFrame, rows: int, settings: TrainingSettings) -> CandidateModel:
        """A small forest."""
        forest = classification.RandomForestClassifier(
            seed=settings["seed"],
            numTrees=60,
            maxDepth=7,
            minInstancesPerNode=10,
            featureSubsetStrategy="sqrt",
        )
        model: classification.RandomForestClassificationModel = forest.fit(train)
        return model


    def fit_boosted_trees(train: DataFrame, rows: int, settings: TrainingSettings) -> CandidateModel:
        """Gradient-boosted trees, trained by barrier tasks that each hold one partition."""
        workers = settings["boostingWorkers"]
        booster = SparkXGBClassifier(
            num_workers=workers, random_state=settings["seed"], verbose=False, **BOOSTING
        )
        return boost(booster, in_parts(train, workers))


    def fit_segments_and_trees(
        train: DataFrame, segments: SegmentModel, settings: TrainingSettings
    ) -> CandidateModel:
        """Boosted trees that see the segments too; the regression on segments is half of the mean."""
        return fit_boosted_trees(with_segment_features(train, segments), 0, settings)


    FIT: dict[str, Callable[[DataFrame, int, TrainingSettings], CandidateModel]] = {
        "logistic_regression": fit_logistic_regression,
        "random_forest": fit_random_forest,
        "boosted_trees": fit_boosted_trees,
    }
  `,
});
