"""The retrospective protocol of the generated train-models.py, beside brute force and scikit-learn.

python retrospective_reference.py <train-models.py> <columns of user_days>  Prints one JSON document.
"""

import datetime
import json
import math
import sys

import numpy
from evaluation_reference import load
from pyspark.sql import SparkSession
from sklearn import metrics

START = datetime.datetime(2018, 10, 1)
USERS = 200
# What is counted on the own last day, of which nothing may be seen.
UNSEEN = 10_000


def days_of(number: int, generator: numpy.random.Generator) -> list[dict]:
    """The days of a user: every third one cancels on the last of them, the first of these comes back."""
    active = sorted(generator.choice(30, generator.integers(2, 12), replace=False).tolist())
    days = []
    for place, offset in enumerate(active):
        first = START + datetime.timedelta(days=offset, hours=int(generator.integers(0, 12)))
        last = first + datetime.timedelta(hours=int(generator.integers(1, 11)))
        is_last = place == len(active) - 1
        cancels = number % 3 == 0 and is_last
        days.append(
            {
                "day": first.date(),
                "user_id": f"{number:03}",
                "events": 20,
                "songs": UNSEEN if is_last else int(generator.integers(5, 15)),
                "thumbs_up": UNSEEN if is_last else int(generator.integers(0, 4)),
                "thumbs_down": UNSEEN if is_last else int(generator.integers(0, 2)),
                "errors": UNSEEN if is_last else int(generator.integers(0, 2)),
                "cancellations": int(cancels),
                "last_cancelled_at": last if cancels else None,
                "sessions": 1 if place % 2 else 2,
                "first_event_at": first,
                "last_event_at": last,
                "first_session_id": 10 * place,
                "first_session_started_at": first,
                "first_session_ended_at": first,
                "last_session_id": 10 * place + 1,
                "last_session_started_at": last,
                "last_session_ended_at": last,
                "level": "paid" if generator.random() < 0.5 else "free",
                "registered_at": None if number == 1 else START - datetime.timedelta(days=number % 40),
            }
        )
    if number == 0:
        last = days[-1]["last_event_at"] + datetime.timedelta(days=40)
        again = {"day": last.date(), "cancellations": 0, "last_cancelled_at": None}
        days.append({**days[-1], **again, "first_event_at": last, "last_event_at": last})
    return days


def expected_six(days: list[dict]) -> list[float] | None:
    """The six features by the definition, from the days before the first cancellation or the last event."""
    ends = [day["day"] for day in days if day["cancellations"]] or [days[-1]["day"]]
    seen = [day for day in days if day["day"] < ends[0]]
    if not seen:
        return None
    last = seen[-1]["last_event_at"]
    span = max(1, math.ceil((last - seen[0]["first_event_at"]) / datetime.timedelta(days=1)))
    registered = seen[-1]["registered_at"]
    return [
        float(seen[-1]["level"] == "paid"),
        30 * sum(day["sessions"] for day in seen) / span,
        *(sum(day[name] for day in seen) / span for name in ("thumbs_up", "thumbs_down", "errors")),
        0.0 if registered is None else (last - registered) / datetime.timedelta(days=1),
    ]


def compared_users(step, spark: SparkSession, columns: str) -> dict:
    """The users that Spark makes of days, and those of brute force."""
    generator = numpy.random.default_rng(6)
    by_user = [days_of(number, generator) for number in range(USERS)]
    kinds = dict(column.split(" ") for column in columns.split(", "))
    nothing = {"double": 0.0, "bigint": 0}
    defaults = {name: nothing.get(kind) for name, kind in kinds.items()}

    def row(day: dict) -> list:
        return [{**defaults, **day}[name] for name in kinds]

    rows = [row(day) for days in by_user for day in days]
    end = START.date() + datetime.timedelta(days=80)
    # After the end of the log.
    rows.append(row({**by_user[1][-1], "day": end, "user_id": "stray"}))
    user_days = spark.createDataFrame(rows, columns)
    users = step.retrospective_users(spark, user_days, end)
    six = [(number % 3 == 0, expected_six(days)) for number, days in enumerate(by_user)]
    expected = [one for one in six if one[1] is not None]
    return {
        "labels": [users.labels.tolist(), [float(label) for label, _ in expected]],
        "six": [users.six.tolist(), [six for _, six in expected]],
        "largest": float(numpy.nanmax(users.ours)),
        "inputs": users.ours.shape[1],
    }


def by_scikit_learn(scores: numpy.ndarray, labels: numpy.ndarray, weights: numpy.ndarray, threshold: float) -> dict:
    """The figures of the published table."""
    taken = scores >= threshold
    return {
        "auc": metrics.roc_auc_score(labels, scores),
        "accuracy": metrics.accuracy_score(labels, taken, sample_weight=weights),
        "recall": metrics.recall_score(labels, taken, sample_weight=weights),
        "precision": metrics.precision_score(labels, taken, sample_weight=weights),
        "f1": metrics.f1_score(labels, taken, sample_weight=weights),
    }


def compared_figures(step) -> dict:
    """Figures, thresholds and the paired interval of made-up scores."""
    generator = numpy.random.default_rng(5)
    labels = (generator.random(900) < 0.225).astype(float)
    ours = numpy.round(generator.normal(size=900) + 0.9 * labels, 1)
    theirs = ours + generator.normal(size=900)
    figures, thresholds = [], []
    for is_reweighted in (False, True):
        weights = step.weights_of(labels, is_reweighted)
        threshold = step.best_f1_threshold(ours, labels, weights)
        given = ours, labels, weights, threshold
        figures.append([step.retrospective_figures(*given), by_scikit_learn(*given)])
        best = max(metrics.f1_score(labels, ours >= cut, sample_weight=weights) for cut in numpy.unique(ours))
        thresholds.append([metrics.f1_score(labels, ours >= threshold, sample_weight=weights), best])
    drawn = []
    for _ in range(600):
        rows = generator.integers(0, 900, 900)
        better, worse = (metrics.roc_auc_score(labels[rows], scores[rows]) for scores in (ours, theirs))
        drawn.append(better - worse)
    reweighted = step.weights_of(labels, True)
    return {
        "figures": figures,
        "thresholds": thresholds,
        "everybody": step.retrospective_figures(ours, labels, reweighted, -numpy.inf)["f1"],
        "difference": step.auc_difference(ours, theirs, labels, 1),
        "bootstrap": numpy.quantile(drawn, [0.025, 0.5, 0.975]).tolist(),
    }


def compared_models(step) -> dict:
    """All models on users of whom the six features say little and ours more; twice, and of too few."""
    generator = numpy.random.default_rng(4)
    labels = (generator.random(1_500) < 0.225).astype(float)
    six = generator.normal(size=(1_500, 6)) + 0.2 * labels[:, None]
    ours = numpy.column_stack([six, generator.normal(size=(1_500, 10)) + 0.5 * labels[:, None]])
    users = step.RetrospectiveUsers(labels, six, ours)
    first = step.compare_retrospectively(users, 7)
    few = numpy.flatnonzero(labels == 1)[:19].tolist() + numpy.flatnonzero(labels == 0).tolist()
    return {
        "first": first,
        "again": first == step.compare_retrospectively(users, 7),
        "few": step.compare_retrospectively(step.RetrospectiveUsers(labels[few], six[few], ours[few]), 7),
    }


def main() -> None:
    """Prints the comparisons."""
    step = load(sys.argv[1])
    spark = SparkSession.builder.getOrCreate()
    output = {
        "users": compared_users(step, spark, sys.argv[2]),
        "figures": compared_figures(step),
        "models": compared_models(step),
    }
    print(json.dumps(output, allow_nan=False))


if __name__ == "__main__":
    main()
