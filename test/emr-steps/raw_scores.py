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


def segments_twice(step, spark: SparkSession) -> dict[str, float]:
    """How far Spark SQL and numpy are apart on the same rows: in what segments say, and in the score."""
    generator = numpy.random.default_rng(4)
    counts, exposures = step.CHANNEL_COUNTS["56"], step.CHANNEL_EXPOSURES["56"]
    names = ["unread", *step.SEGMENT_PLAIN_INPUTS]
    sizes = generator.dirichlet([5, 2, 1])
    columns = 1 + len(sizes) + len(names) - 1 + len(step.SEGMENT_PRODUCTS)
    model = {
        "halfLife": "56",
        "counts": counts,
        "exposures": exposures,
        "usualRates": [0.01] * len(counts),
        "mixture": {
            "sizes": sizes.tolist(),
            "rates": generator.lognormal(-4, 1, (len(sizes), len(counts))).tolist(),
        },
        "regression": {
            "hazards": generator.uniform(0.01, 0.3, (len(sizes), 2)).tolist(),
            "plain": names[1:],
            "products": step.SEGMENT_PRODUCTS,
            "intercept": -1.5,
            "weights": generator.normal(size=columns).tolist(),
        },
    }
    users = 200
    exposed = numpy.round(generator.exponential(300, (users, len(step.CHANNEL_COLUMNS))), 3)
    # Users of whom nothing is known, and one with half of all events.
    exposed[:5], exposed[5] = 0, 1e6
    values = dict(zip(step.CHANNEL_COLUMNS, exposed.T, strict=True))
    values.update({count: numpy.round(values[exposure] * 0.01) for count, exposure in zip(counts, exposures, strict=True)})
    is_paid = (generator.random(users) < 0.4).astype(float)
    inputs = generator.normal(size=(users, len(names)))
    frame = spark.createDataFrame(
        [
            (index, float(is_paid[index]), inputs[index].tolist(), *(float(values[name][index]) for name in values))
            for index in range(users)
        ],
        ["user", "is_paid", "inputs", *values],
    ).withColumn("features", array_to_vector("inputs"))
    scored = step.with_raw_score("segments", None, frame, model, names).orderBy("user")
    rows = scored.select("segment_inputs", "raw_score").collect()
    known = step.ChannelCounts(
        numpy.column_stack([values[name] for name in counts]),
        numpy.column_stack([values[name] for name in exposures]),
    )
    logarithms = step.log_posteriors(known, model["mixture"])
    plain = {name: inputs[:, 1 + index] for index, name in enumerate(names[1:])}
    hazards = numpy.array(model["regression"]["hazards"])
    matrix = step.segment_columns(logarithms, hazards, is_paid, plain, names[1:])
    expected = matrix @ numpy.array(model["regression"]["weights"]) - 1.5
    told = numpy.array([row.segment_inputs for row in rows])
    return {
        "segments": float(numpy.abs(told - matrix[:, : told.shape[1]]).max()),
        "scores": float(numpy.abs(numpy.array([row.raw_score for row in rows]) - expected).max()),
        "spread": float(told.std(axis=0).min()),
    }


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
    found = {
        "scores": scores,
        "beyond": beyond_the_range(step, spark),
        "segments": segments_twice(step, spark),
    }
    print(json.dumps(found, allow_nan=False))
    spark.stop()


if __name__ == "__main__":
    main()
