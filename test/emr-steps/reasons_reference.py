"""Reasons by the generated score-users.py, and by brute force with numpy, for every kind of model.

python reasons_reference.py <score-users.py>  Prints one JSON document: by kind what the step says and what is expected.
"""

import json
import sys

import numpy
import pandas
from evaluation_reference import load
from pyspark.ml import classification
from pyspark.ml.functions import array_to_vector
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession, functions
from xgboost import DMatrix
from xgboost.spark import SparkXGBClassifier

USERS = 150
# Name, group, scale, what stands for a missing value.
INPUTS = [
    ("events_per_day", "activity", "log1p", 0.0),
    ("begun_sessions_per_day", "activity", "log1p", 0.0),
    ("active_days_per_day", "activity", "log1p", 0.0),
    ("days_since_last_seen", "activity", "log1p", 3.0),
    ("thumbs_down_per_song_last_28_days", "enjoyment", "log1p", 0.0),
    ("downgrade_visits_last_7_days", "subscription", "log1p", 0.0),
    ("days_since_level_change", "subscription", "log1p", 365.0),
    ("is_paid", "subscription", "linear", 0.0),
    ("songs_trend", "habit", "linear", 1.0),
    ("tenure_days", "tenure", "log1p", 60.0),
    ("on_mac", "device", "linear", 0.0),
]
NAMES = [name for name, *_ in INPUTS]
PLAIN = ["is_paid", "days_since_last_seen", "tenure_days", "events_per_day", "begun_sessions_per_day", "active_days_per_day"]


def rows_of_users(step) -> pandas.DataFrame:
    """Users who differ in everything; some values are missing, and one user has half of all events."""
    generator = numpy.random.default_rng(8)
    frame = pandas.DataFrame(
        {
            "user_id": [f"user {number}" for number in range(USERS)],
            "events_per_day": generator.exponential(20, USERS),
            "begun_sessions_per_day": generator.exponential(0.7, USERS),
            "active_days_per_day": generator.uniform(0, 1, USERS),
            "days_since_last_seen": numpy.round(generator.exponential(5, USERS), 4),
            "thumbs_down_per_song_last_28_days": generator.beta(1, 60, USERS),
            "downgrade_visits_last_7_days": generator.poisson(0.4, USERS).astype(float),
            "days_since_level_change": numpy.where(generator.random(USERS) < 0.7, numpy.nan, generator.uniform(1, 60, USERS)),
            "is_paid": (generator.random(USERS) < 0.6).astype(float),
            "songs_trend": numpy.where(generator.random(USERS) < 0.1, numpy.nan, generator.gamma(4, 0.25, USERS)),
            "tenure_days": generator.uniform(5, 120, USERS),
            "on_mac": (generator.random(USERS) < 0.3).astype(float),
            "observed_days": generator.uniform(20, 60, USERS),
        }
    )
    for column in step.CHANNEL_COLUMNS:
        frame[column] = numpy.round(generator.exponential(200, USERS), 2)
    for count in ["thumbs_up", "thumbs_down", "free_adverts", "paid_adverts", "upgrade_visits", "downgrade_visits"]:
        frame[f"{count}_half_life_56"] = generator.poisson(3, USERS).astype(float)
    # What those who pay have not done while free, and the other way round.
    frame.loc[frame.is_paid == 1, ["free_songs_half_life_56", "free_adverts_half_life_56"]] = 0.0
    frame.loc[frame.is_paid == 0, ["paid_songs_half_life_56", "paid_adverts_half_life_56"]] = 0.0
    frame.loc[0, step.CHANNEL_COLUMNS] = 1e5
    return frame


def segment_model(step) -> dict:
    """Segments that differ, with hazards and weights."""
    generator = numpy.random.default_rng(4)
    channels = ["thumbs_up", "thumbs_down", "free_adverts", "paid_adverts", "upgrade_visits", "downgrade_visits"]
    exposures = ["songs", "songs", "free_songs", "paid_songs", "free_events", "paid_events"]
    products = [["events_per_day", "begun_sessions_per_day"], ["is_paid", "events_per_day"]]
    return {
        "halfLife": "56",
        "counts": [f"{name}_half_life_56" for name in channels],
        "exposures": [f"{name}_half_life_56" for name in exposures],
        "usualRates": [0.01] * 6,
        "mixture": {"sizes": [0.6, 0.3, 0.1], "rates": generator.lognormal(-4, 0.7, (3, 6)).tolist()},
        "regression": {
            "hazards": [[0.02, 0.04], [0.1, 0.2], [0.3, 0.4]],
            "plain": PLAIN,
            "products": products,
            "intercept": -1.0,
            "weights": [0.6, 0.1, 0.2, -0.1, 0.5, -0.2, -0.4, 0.1, 0.3, 0.4, 0.05, 0.02],
        },
    }


def segment_columns(model: dict, counts, exposures, is_paid):
    """Log-odds of the hazard, and clipped log posteriors."""
    sizes, rates = numpy.array(model["mixture"]["sizes"]), numpy.array(model["mixture"]["rates"])
    joint = counts @ numpy.log(rates).T - exposures @ rates.T + numpy.log(sizes)
    top = joint.max(axis=1, keepdims=True)
    posteriors = joint - top - numpy.log(numpy.exp(joint - top).sum(axis=1, keepdims=True))
    hazards = numpy.array(model["regression"]["hazards"])[:, is_paid.astype(int)].T
    hazard = (numpy.exp(posteriors) * hazards).sum(axis=1)
    return numpy.column_stack([numpy.log(hazard / (1 - hazard)), numpy.maximum(posteriors, -6)])


def segment_scores(model: dict, segments, inputs):
    """Log-odds of the regression on segments."""
    regression = model["regression"]
    plain = {name: inputs[:, NAMES.index(name)] for name in regression["plain"]}
    columns = [segments, *plain.values(), *(plain[one] * plain[other] for one, other in regression["products"])]
    return numpy.column_stack(columns) @ numpy.array(regression["weights"]) + regression["intercept"]


def read(column: str, values):
    """Values as models read them."""
    _, _, scale, fill = INPUTS[NAMES.index(column)]
    filled = numpy.where(numpy.isnan(values), fill, values)
    return numpy.log(1 + filled) if scale == "log1p" else filled


def median(values) -> float:
    """The lower median of the known values; none where most are missing."""
    known = sorted(value for value in values if not numpy.isnan(value))
    return numpy.nan if not known or 2 * len(known) < len(values) else known[(len(known) - 1) // 2]


class Expected:
    """What is expected, by brute force: each value of each user by itself."""

    def __init__(self, frame: pandas.DataFrame, segments: dict, score) -> None:
        """Takes a function of inputs, counts and exposures (a row for each user)."""
        self.frame, self.segments, self.score = frame, segments, score
        self.levels = frame.is_paid.to_numpy().astype(int)
        self.inputs = numpy.column_stack([read(name, frame[name].to_numpy()) for name in NAMES])
        self.counts = frame[segments["counts"]].to_numpy()
        self.exposures = frame[segments["exposures"]].to_numpy()

    def typical(self, values):
        """The median of the level of each user."""
        by_level = [median(values[self.levels == level]) for level in (0, 1)]
        return numpy.array([by_level[level] for level in self.levels])

    def reasons(self, numbers: list[int], channels: bool) -> list[list[dict]]:
        """For each user, what raises the score most."""
        own = numpy.round(self.score(self.inputs, self.counts, self.exposures), 6)
        rises = []
        for number in numbers:
            values = self.frame[NAMES[number]].to_numpy()
            typical = self.typical(values)
            changed = self.inputs.copy()
            changed[:, number] = read(NAMES[number], typical)
            score = self.score(changed, self.counts, self.exposures)
            rises.append((number, NAMES[number], INPUTS[number][1], values, typical, own - numpy.round(score, 6)))
        groups = ["enjoyment", "enjoyment", "adverts", "adverts", "subscription", "subscription"]
        for channel in range(6 if channels else 0):
            exposed = self.exposures[:, channel] > 0
            rates = numpy.where(exposed, self.counts[:, channel] / numpy.where(exposed, self.exposures[:, channel], 1), numpy.nan)
            usual = numpy.array([median(rates[(self.levels == level) & exposed]) if exposed.any() else 0 for level in (0, 1)])
            typical = numpy.where(exposed, usual[self.levels], numpy.nan)
            counts = self.counts.copy()
            counts[:, channel] = numpy.where(exposed, self.exposures[:, channel] * typical, counts[:, channel])
            score = self.score(self.inputs, counts, self.exposures)
            name = self.segments["counts"][channel]
            rises.append((len(NAMES) + channel, name, groups[channel], rates, typical, own - numpy.round(score, 6)))
        return [self.best(rises, user) for user in range(len(own))]

    def best(self, rises: list, user: int) -> list[dict]:
        """The strongest of each group, at most three, at least .1."""
        ordered = sorted(rises, key=lambda rise: (-round(rise[5][user], 6), rise[0]))
        chosen: dict[str, dict] = {}
        for _, name, group, values, typical, rise in ordered:
            if round(rise[user], 6) >= 0.1 and group not in chosen:
                known = [None if numpy.isnan(value) else float(value) for value in (values[user], typical[user])]
                chosen[group] = {"feature": name, "value": known[0], "typical": known[1], "change": float(rise[user])}
        return list(chosen.values())[:3]


def main() -> None:
    """Fits small models on made-up labels, and explains all users by each."""
    step = load(sys.argv[1])
    spark = SparkSession.builder.master("local[1]").appName("reasons").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.conf.set("spark.sql.shuffle.partitions", 2)
    # Compiling these plans takes longer than interpreting them for so few rows.
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    frame = rows_of_users(step)
    segments = segment_model(step)
    plain = [{"name": name, "group": group, "scale": scale, "fill": fill, "median": fill} for name, group, scale, fill in INPUTS]
    nobody = Expected(frame, segments, lambda inputs, *_: inputs[:, 0])
    of_segments = segment_columns(segments, nobody.counts, nobody.exposures, frame.is_paid.to_numpy())
    generator = numpy.random.default_rng(2)
    odds = nobody.inputs[:, 3] - 2 * nobody.inputs[:, 9] + 2 * nobody.inputs[:, 5] + 30 * nobody.inputs[:, 4] + of_segments[:, 0] + 6
    labels = (generator.random(USERS) < 1 / (1 + numpy.exp(-odds))).astype(float)

    def training(matrix):
        rows = [(float(label), Vectors.dense(row)) for label, row in zip(labels, matrix, strict=True)]
        return spark.createDataFrame(rows, ["label", "features"])

    trees = SparkXGBClassifier(num_workers=1, n_estimators=30, max_depth=3, verbose=False, device="cpu")
    models = {
        "logistic_regression": classification.LogisticRegression(regParam=0.01).fit(training(nobody.inputs)),
        "random_forest": classification.RandomForestClassifier(numTrees=8, maxDepth=4, seed=1).fit(training(nobody.inputs)),
        "boosted_trees": trees.fit(training(nobody.inputs)),
        "segments": None,
        "segments_and_trees": trees.fit(training(numpy.hstack([nobody.inputs, of_segments]))),
    }

    def margin(kind: str, matrix):
        return models[kind].get_booster().predict(DMatrix(matrix), output_margin=True).astype(float)

    def segment_part(inputs, counts, exposures):
        columns = segment_columns(segments, counts, exposures, inputs[:, NAMES.index("is_paid")])
        return columns, segment_scores(segments, columns, inputs)

    def mean(inputs, counts, exposures):
        columns, score = segment_part(inputs, counts, exposures)
        return (score + margin("segments_and_trees", numpy.hstack([inputs, columns]))) / 2

    def forest(inputs, *_):
        rows = spark.createDataFrame([(Vectors.dense(row),) for row in inputs], ["features"])
        share = numpy.array([row.probability[1] for row in models["random_forest"].transform(rows).collect()])
        return numpy.log((share + 1e-6) / (1 - share + 1e-6))

    regression = models["logistic_regression"]
    scores = {
        "logistic_regression": lambda inputs, *_: inputs @ regression.coefficients.toArray() + regression.intercept,
        "random_forest": forest,
        "boosted_trees": lambda inputs, *_: margin("boosted_trees", inputs),
        "segments": lambda *given: segment_part(*given)[1],
        "segments_and_trees": mean,
    }

    def frame_of(users: pandas.DataFrame):
        known = users.astype(object).where(users.notna(), None)
        schema = "user_id string, " + ", ".join(f"{name} double" for name in users.columns[1:])
        rows = spark.createDataFrame(known.values.tolist(), schema)
        return rows.withColumn("cutoff", functions.lit("2018-11-20").cast("date")).withColumn("role", functions.lit("score"))

    def said(kind: str, users: pandas.DataFrame, most: int) -> tuple[dict, dict]:
        """What the step says of the users by rank, and how many rows it scores for it."""
        description = {"kind": kind, "inputs": plain}
        if kind.startswith("segments"):
            description["segments"] = segments
        living = frame_of(users)
        given = step.living_users(living, plain, description.get("segments"))
        typical = step.typical_values(living, plain, description.get("segments"), len(users))
        counted = []
        score = step.with_raw_score

        def counting(kind, model, rows, *more):
            kept = rows.cache()
            counts = kept.agg(functions.count("*").alias("rows"), functions.countDistinct("user_id").alias("users"))
            counted.append(counts.first().asDict())
            return score(kind, model, kept, *more)

        step.with_raw_score = counting
        scored = counting(
            kind, models[kind], given.withColumn("features", array_to_vector("inputs")), description.get("segments"), NAMES
        )
        by_score = step.Window.orderBy(functions.desc("raw_score"), "user_id")
        ranks = scored.select("user_id", "raw_score", functions.row_number().over(by_score).alias("rank"))
        chosen = functions.col("rank") <= most
        rows = step.with_reasons(ranks, given, (description, models[kind]), typical, chosen).collect()
        step.with_raw_score = score
        return {row.user_id: row for row in rows}, counted

    found = {}
    for kind, score in scores.items():
        rows, counted = said(kind, frame, 40)
        numbers = [NAMES.index(name) for name in PLAIN] if kind == "segments" else list(range(len(NAMES)))
        expected = Expected(frame, segments, score).reasons(numbers, kind.startswith("segments"))
        found[kind] = {
            "counted": counted,
            "users": [
                {
                    "rank": rows[user].rank,
                    "reasons": rows[user].reasons,
                    "details": rows[user].reason_details and json.loads(rows[user].reason_details),
                    "expected": expected[number],
                }
                for number, user in enumerate(frame.user_id)
            ],
        }
    later, _ = said("segments_and_trees", frame.assign(observed_days=frame.observed_days + 30), 40)
    cells = ["42", "=1+1", "+1", "-5", "@x", "\t1", "\r1", 'a,"b"', "two\nlines", "=a,b", "3 visits, typically 0"]
    later = [later[user].reasons for user in frame.user_id]
    print(json.dumps({"kinds": found, "later": later, "cells": [[cell, step.csv_cell(cell)] for cell in cells]}, allow_nan=False))
    spark.stop()


if __name__ == "__main__":
    main()
