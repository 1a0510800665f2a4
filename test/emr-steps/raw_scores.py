"""Prints the raw scores that the generated train-models.py makes of scores on both sides of zero.

python raw_scores.py <train-models.py>  Prints one JSON document: the scores of each model, lowest input first.
"""

import json
import sys

import numpy
from evaluation_reference import load, reference
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession, functions

AROUND_ZERO = [-1.5, -4e-7, -1e-12, -0.0, 0.0, 1e-12, 4e-7, 1.5]


class Fixed:
    """A model whose prediction is the column `score`; its probability, that of log-odds."""

    def transform(self, rows: DataFrame) -> DataFrame:
        """Adds the prediction in the columns in which Spark's models give it."""
        nothing, score = functions.lit(0.0), functions.col("score")
        share = 1 / (1 + functions.exp(-score))
        return rows.withColumn("rawPrediction", array_to_vector(functions.array(nothing, score))).withColumn(
            "probability", array_to_vector(functions.array(1 - share, share))
        )


def beyond_the_range(step, spark: SparkSession) -> dict[str, list[float]]:
    """Each figure and its reference where the test scores lie above more out-of-fold scores than there are bins."""
    generator = numpy.random.default_rng(3)
    held_out = numpy.round(numpy.linspace(-3, 1, 12_000), 6)
    test = numpy.round(numpy.sort(generator.uniform(2, 4, 200)), 6)
    labels = (generator.random(len(test)) < (test - 1) / 4).astype(float)
    known = (generator.random(len(held_out)) < 0.1).astype(float)
    rows = [("out_of_fold", *pair) for pair in zip(known.tolist(), held_out.tolist(), strict=True)]
    rows += [("test", *pair) for pair in zip(labels.tolist(), test.tolist(), strict=True)]
    histograms = step.score_histograms(spark.createDataFrame(rows, "sample string, label double, raw_score double"))
    calibration, thresholds = {"slope": 1.0, "intercept": -3.0}, {"best_balanced_accuracy": 3.0}
    figures = step.figures(histograms["test"], calibration, thresholds, 1)
    expected = reference(test, labels, step.probability(calibration, test), 3.0)
    return {name: [figures[name]["value"], float(value)] for name, value in expected.items()}


def main() -> None:
    """Scores by every kind of model and by the baseline, with a falling and with a rising recency."""
    step = load(sys.argv[1])
    spark = SparkSession.builder.master("local[1]").appName("raw scores").getOrCreate()
    rows = spark.createDataFrame([(score,) for score in AROUND_ZERO], "score double").repartition(1)

    def collected(scored: DataFrame) -> list[float]:
        return [row.raw_score for row in scored.collect()]

    kinds = ["base_rate", *step.CANDIDATES]
    scores = {
        kind: collected(step.with_raw_score(kind, Fixed(), rows).orderBy("score", "raw_score")) for kind in kinds
    }
    for name, labels in {"recency_falling": [1.0, 0.0, 0.0], "recency_rising": [0.0, 0.0, 1.0]}.items():
        seen = [("train", float(days), label) for days, label in zip([0, 2, 5], labels, strict=True)]
        users = spark.createDataFrame(seen, "role string, days_since_last_seen double, label double")
        scores[name] = collected(step.scored_by_recency(users.repartition(1)).orderBy("raw_score"))
    print(json.dumps({"scores": scores, "beyond": beyond_the_range(step, spark)}, allow_nan=False))
    spark.stop()


if __name__ == "__main__":
    main()
