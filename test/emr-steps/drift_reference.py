"""Compares the drift of the generated scripts with one by numpy, on rows whose distributions are known.

python drift_reference.py <score-users.py> <train-models.py>  Prints one JSON document: for each feature the index by Spark and the
reference.
"""

import importlib.util
import json
import sys

import numpy
from pyspark.sql import SparkSession

TESTED, SCORED = 400, 800


def load(name: str, path: str):
    """A generated script as a module; its main() does not run."""
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def distributions(generator: numpy.random.Generator) -> dict[str, tuple[numpy.ndarray, numpy.ndarray]]:
    """Values at the test and at the scoring cutoff, named by what happens between the two; NaN is missing."""
    normal = generator.normal(size=TESTED)

    def first_share(rows: int, share: float) -> numpy.ndarray:
        return numpy.arange(rows) < share * rows

    def ones(rows: int, share: float) -> numpy.ndarray:
        return first_share(rows, share).astype(float)

    missing = numpy.full(TESTED, numpy.nan), numpy.full(SCORED, numpy.nan)
    later = generator.normal(size=SCORED)
    return {
        "unchanged": (normal, numpy.tile(normal, SCORED // TESTED)),
        "drawn_again": (normal, later),
        "shifted": (normal, later + 1),
        "beyond_all": (normal, numpy.full(SCORED, 99.0)),
        "below_all": (normal, numpy.full(SCORED, -99.0)),
        "more_often": (
            generator.poisson(0.4, size=TESTED).astype(float),
            generator.poisson(0.9, size=SCORED).astype(float),
        ),
        "constant": (numpy.full(TESTED, 3.0), numpy.full(SCORED, 3.0)),
        "no_longer_constant": (ones(TESTED, 1), ones(SCORED, 0.5)),
        "more_often_zero": (ones(TESTED, 0.95), ones(SCORED, 0.8)),
        "more_often_missing": (
            numpy.where(first_share(TESTED, 0.1), numpy.nan, normal),
            numpy.where(first_share(SCORED, 0.4), numpy.nan, later),
        ),
        "never_known": missing,
        "newly_known": (missing[0], later),
    }


def reference(tested: numpy.ndarray, scored: numpy.ndarray) -> float:
    """The index by its definition: each value in the tenth of the known test rows that its middle rank is in."""
    known = tested[~numpy.isnan(tested)]

    def bin_of(value: float) -> int:
        if numpy.isnan(value):
            return 10
        rank = (numpy.sum(known < value) + numpy.sum(known <= value)) / 2
        return min(9, int(10 * rank // max(1, len(known))))

    before = numpy.bincount([bin_of(value) for value in tested], minlength=11)
    after = numpy.bincount([bin_of(value) for value in scored], minlength=11)
    seen = before + after > 0
    expected = numpy.where(before == 0, 0.5, before)[seen] / len(tested)
    actual = numpy.where(after == 0, 0.5, after)[seen] / len(scored)
    return float(numpy.sum((actual - expected) * numpy.log(actual / expected)))


def rows_of(samples: dict[str, tuple[numpy.ndarray, numpy.ndarray]]) -> list[tuple]:
    """One row a user and cutoff, and rows of training, which must not count."""
    values = {
        role: numpy.column_stack([sample[place] for sample in samples.values()])
        for place, role in enumerate(("test", "score"))
    }
    values["train"] = numpy.full((50, len(samples)), 7.0)
    return [
        (str(user), role, *(None if numpy.isnan(value) else float(value) for value in row))
        for role, table in values.items()
        for user, row in enumerate(table)
    ]


def main() -> None:
    """Prints the comparison."""
    step, training = load("score_users", sys.argv[1]), load("train_models", sys.argv[2])
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", 2)
        .getOrCreate()
    )
    samples = distributions(numpy.random.default_rng(3))
    names = list(samples)
    schema = ", ".join(["user_id string", "role string", *(f"{name} double" for name in names)])
    rows = spark.createDataFrame(rows_of(samples), schema).cache()
    test, living = rows.where("role = 'test'"), rows.where("role = 'score'")
    # As they are stored between the two.
    bins = json.loads(json.dumps(training.input_bins(test, names, TESTED)))
    drift = step.feature_drift(living, [*names, "learnt_later"], bins, TESTED)
    step.DRIFT_USERS = training.DRIFT_USERS = TESTED // 2
    halved = step.feature_drift(living, names, training.input_bins(test, names, TESTED), TESTED)
    spark.stop()
    expected = {name: reference(*sample) for name, sample in samples.items()}
    print(
        json.dumps(
            {
                "order": [entry["feature"] for entry in drift],
                "indices": {entry["feature"]: [entry["psi"], expected[entry["feature"]]] for entry in drift},
                "halved": {entry["feature"]: entry["psi"] for entry in halved},
                "scores": {
                    "unchanged": step.score_drift({"starts": [1.0, 2.0], "rows": [10, 20, 10]}, 80, [60, 20]),
                    # Shares .5, .5 become .25, .75: (.75 - .5) ln 1.5 + (.25 - .5) ln .5
                    "shifted": step.score_drift({"starts": [1.0], "rows": [20, 20]}, 40, [30]),
                    # No score reaches the upper bin: none counts as half a row of 40.
                    "emptied": step.score_drift({"starts": [1.0], "rows": [20, 20]}, 40, [0]),
                    "constant": step.score_drift({"starts": [], "rows": [40]}, 25, []),
                    "noUsers": step.score_drift({"starts": [1.0], "rows": [20, 20]}, 0, [0]),
                },
            }
        )
    )


if __name__ == "__main__":
    main()
