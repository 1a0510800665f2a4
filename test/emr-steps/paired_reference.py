"""Draws scores of two models of the same users, and compares them with the functions of the generated train-models.py.

python paired_reference.py <train-models.py> widths|weeks|steps  One JSON document.
widths: the paired interval and that of the bootstrap of rows. weeks: 52 weeks of equal models. steps: a model that is worse
by about .5, on one side and on the other.
"""

import json
import sys

import numpy
from evaluation_reference import load
from sklearn import metrics

RATE = 0.035
FULL_SIZE = 20_000


def drawn(generator, users: int, noise: tuple[float, float], signal: float = 1.1):
    """Labels, and the scores of two models that see the same signal with noise of their own."""
    labels = (generator.random(users) < RATE).astype(float)
    seen = labels * signal + generator.normal(size=users)
    return labels, *(seen + level * generator.normal(size=users) for level in noise)


def interval(step, labels, challenger, champion, users: int, seed: int):
    """The estimate of the generated script."""
    rows = step.PairedRows(labels, challenger, champion, numpy.ones(len(labels)))
    return step.precision_difference(rows, users, seed)


def ratio(labels, scores) -> float:
    """Average precision over base rate by scikit-learn."""
    return metrics.average_precision_score(labels, scores) / labels.mean()


def row_bootstrap(labels, challenger, champion, resamples: int):
    """The interval of the difference by drawing rows, one after another."""
    generator = numpy.random.default_rng(5)
    values = []
    for _ in range(resamples):
        chosen = generator.integers(0, len(labels), len(labels))
        values.append(ratio(labels[chosen], challenger[chosen]) - ratio(labels[chosen], champion[chosen]))
    return numpy.quantile(values, [0.025, 0.975]).tolist()


def widths(step) -> list:
    """Of a small, a middle and a sampled test set."""
    generator, compared = numpy.random.default_rng(3), []
    for users, taken, resamples in ((600, 600, 800), (2_000, 2_000, 500), (6_000, 3_000, 400)):
        labels, challenger, champion = drawn(generator, users, (0.4, 0.6))
        part = slice(0, taken)
        ours = interval(step, labels[part], challenger[part], champion[part], users, 1)
        reference = row_bootstrap(labels, challenger, champion, resamples)
        exact = ratio(labels[part], challenger[part]) - ratio(labels[part], champion[part])
        compared.append({"users": users, "ours": ours, "reference": reference, "value": exact})
    return compared


def weeks(step) -> list:
    """Years of equal models: the difference of each week."""
    generator = numpy.random.default_rng(8)
    return [
        [interval(step, *drawn(generator, 1_500, (0.5, 0.5)), 1_500, week) for week in range(52)]
        for _ in range(3)
    ]


def steps(step) -> dict:
    """At full size, a challenger that is worse by about .5, and a champion that is."""
    generator = numpy.random.default_rng(9)
    found = {"worse": [], "better": []}
    for week in range(20):
        # Average precision over base rate as on authentic logs: about 3.0 and 2.5.
        labels, good, bad = drawn(generator, FULL_SIZE, (0.3, 0.7), 0.9)
        found["worse"].append(interval(step, labels, bad, good, FULL_SIZE, week))
        found["better"].append(interval(step, labels, good, bad, FULL_SIZE, week))
    return found


def main() -> None:
    """Prints what was asked for."""
    step = load(sys.argv[1])
    step.PAIRED_RESAMPLES = int(sys.argv[3])
    print(json.dumps({"widths": widths, "weeks": weeks, "steps": steps}[sys.argv[2]](step)))


if __name__ == "__main__":
    main()
