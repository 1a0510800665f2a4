"""Samples compared with the other users by the generated train-models.py: its figures, and how often it is right.

python homogeneity_reference.py <train-models.py>  Prints one JSON document.
"""

import json
import sys

import numpy
from evaluation_reference import load
from pyspark.sql import SparkSession
from scipy import stats

USERS = 6_000
SAMPLES = 250


def users_of(step, generator: numpy.random.Generator, users: int) -> numpy.ndarray:
    """Users with a value in each column: amounts with many ties, and answers of yes or no, rare and common."""
    columns = [
        (generator.random(users) < 0.02 + 0.4 * (index % 2)).astype(float)
        if name in step.YES_OR_NO
        else numpy.floor(generator.exponential(1 + index % 5, users))
        for index, name in enumerate(step.COMPARED)
    ]
    return numpy.column_stack(columns)


def as_scipy_says(step, values: numpy.ndarray, size: int) -> dict:
    """Distance and p-value of each column, and the corrected ones, by scipy and by the definitions."""
    found = {}
    for name, column in zip(step.COMPARED, values.T, strict=True):
        sample, others = column[:size], column[size:]
        if name in step.YES_OR_NO:
            cells = numpy.array([[part.sum(), len(part) - part.sum()] for part in (sample, others)])
            usual = stats.contingency.expected_freq(cells).min() >= 5
            p_value = stats.chi2_contingency(cells, correction=False)[1] if usual else stats.fisher_exact(cells)[1]
            found[name] = [abs(sample.mean() - others.mean()), p_value]
        else:
            cuts = numpy.unique(column)
            gaps = [abs((sample <= cut).mean() - (others <= cut).mean()) for cut in cuts]
            found[name] = [max(gaps), stats.ks_2samp(sample, others, method="asymp").pvalue]
    ordered = sorted(found, key=lambda name: found[name][1])
    reached = 0.0
    for index, name in enumerate(ordered):
        reached = max(reached, min(1.0, (len(ordered) - index) * found[name][1]))
        found[name].append(reached)
    return found


def false_alarms(step) -> float:
    """Share of random samples in which a feature is said to differ."""
    generator = numpy.random.default_rng(11)
    users = users_of(step, generator, 2_000)
    alarms = [
        min(one["adjusted"] for one in step.compare_sample("one_percent", generator.permutation(users), 100)["differences"])
        < step.SAMPLE_TEST_LEVEL
        for _ in range(30)
    ]
    return float(numpy.mean(alarms))


def share_found(step, name: str, planted) -> float:
    """How often a planted difference is found at the level of Holm's first step."""
    generator = numpy.random.default_rng(12)
    level = step.SAMPLE_TEST_LEVEL / len(step.COMPARED)
    compare = step.compare_shares if name in step.YES_OR_NO else step.compare_amounts
    found = []
    for _ in range(400):
        others, sample = planted(generator)
        found.append(compare(name, sample, others, level)["pValue"] < level)
    return float(numpy.mean(found))


def powers(step) -> dict:
    """How often the smallest distance that is stated is found: of amounts with and without ties, of shares rare and common."""
    size, others = 200, 5_000
    effective, level = size * others / (size + others), step.SAMPLE_TEST_LEVEL / len(step.COMPARED)
    distance = step.smallest_distance(effective, level)

    def shifted(generator):
        # Uniform values of which a part is moved up from the lower half: the largest gap is in the middle.
        sample = generator.random(size)
        moved = (sample < 0.5) & (generator.random(size) < 2 * distance)
        return generator.random(others), numpy.where(moved, sample + 0.5, sample)

    def with_ties(generator):
        usual, moved = shifted(generator)
        return numpy.floor(usual * 4), numpy.floor(moved * 4)

    def of_share(share: float):
        more = share + step.smallest_share_distance(share, effective, level)
        return lambda generator: (
            (generator.random(others) < share).astype(float),
            (generator.random(size) < more).astype(float),
        )

    return {
        "amounts": share_found(step, "tenure_days", shifted),
        "ties": share_found(step, "tenure_days", with_ties),
        "common": share_found(step, "is_paid", of_share(0.4)),
        "rare": share_found(step, "is_paid", of_share(0.01)),
    }


def compared_by_spark(step, spark: SparkSession) -> dict:
    """The comparison of a log's rows, twice in other partitions, and of logs too small for a sample."""
    generator = numpy.random.default_rng(3)
    values = users_of(step, generator, USERS)
    names = ["user_id", *step.COMPARED]
    data = [[f"user {index}", *row] for index, row in enumerate(values.tolist())]
    data[0][names.index("tenure_days")] = None
    data[0][names.index("is_female")] = None
    rows = spark.createDataFrame(data, ", ".join(["user_id string", *(f"{name} double" for name in step.COMPARED)])).cache()
    first = step.homogeneity(rows, USERS)
    place = {name: index for index, name in enumerate(step.COMPARED)}
    drawn = step.compared_values(rows, USERS)
    missing = drawn[numpy.isinf(drawn).any(axis=1)]
    return {
        "first": first,
        "again": first == step.homogeneity(rows.repartition(7), USERS),
        "missing": [len(missing), float(missing[0, place["is_female"]])],
        "small": [step.homogeneity(rows.limit(users), users) for users in (225, 2_500)],
    }


def main() -> None:
    """Prints the comparisons."""
    step = load(sys.argv[1])
    values = users_of(step, numpy.random.default_rng(2), USERS)
    spark = SparkSession.builder.getOrCreate()
    print(
        json.dumps(
            {
                "ours": step.compare_sample("medium_set", values, SAMPLES),
                "scipy": as_scipy_says(step, values, SAMPLES),
                "falseAlarms": false_alarms(step),
                "powers": powers(step),
                "spark": compared_by_spark(step, spark),
            },
            allow_nan=False,
        )
    )


if __name__ == "__main__":
    main()
