"""Slices and drivers by the generated train-models.py, beside pandas, scikit-learn and SciPy on the same rows.

python drivers_reference.py <train-models.py> <folder>  Prints one JSON document; a forest is stored in the folder.
"""

import json
import sys

import numpy
import pandas
import reasons_reference as made_up
from evaluation_reference import load
from pyspark.ml import classification
from pyspark.ml.functions import array_to_vector
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession, functions
from scipy import stats
from sklearn import metrics
from xgboost.spark import SparkXGBClassifier

USERS = 600
CALIBRATION = {"slope": 0.9, "intercept": -0.2}
REGIONS = ["northeast", "midwest", "south", "west"]


def rows_of_users(step) -> pandas.DataFrame:
    """Users with all that slices and models read; of some it is not known."""
    made_up.USERS = USERS
    frame = made_up.rows_of_users(step).drop(columns="observed_days")
    generator = numpy.random.default_rng(3)
    frame["is_female"] = numpy.where(generator.random(USERS) < 0.1, numpy.nan, generator.integers(0, 2, USERS))
    device = generator.integers(0, 5, USERS)
    for number, name in enumerate(["on_phone_or_tablet", "on_windows", "on_mac", "on_linux"]):
        frame[name] = (device == number).astype(float)
    # A tablet with Windows is a tablet.
    frame.loc[:5, ["on_phone_or_tablet", "on_windows"]] = 1.0
    region = generator.integers(0, 5, USERS)
    for number, name in enumerate(REGIONS):
        frame[f"in_{name}"] = (region == number).astype(float)
    frame.loc[7, [f"in_{name}" for name in REGIONS]] = numpy.nan
    frame.loc[9, "tenure_days"] = numpy.nan
    # Bands of one value, and values beyond it.
    frame["downgrade_visits_last_7_days"] = numpy.where(generator.random(USERS) < 0.8, 0.0, generator.integers(1, 4, USERS))
    return frame


def sliced_by(frame: pandas.DataFrame) -> dict[str, pandas.Series]:
    """The slices, written a second time."""
    device = numpy.select(
        [frame[name] == 1 for name in ["on_phone_or_tablet", "on_windows", "on_mac", "on_linux"]],
        ["phone or tablet", "Windows", "Mac", "Linux"],
        "other",
    )
    region = pandas.Series("other", index=frame.index)
    for name in REGIONS:
        region[frame[f"in_{name}"] == 1] = name
    region[frame.in_west.isna()] = "unknown"
    bands = ["under 2 weeks", "2 to 4 weeks", "4 to 8 weeks", "8 to 16 weeks", "16 weeks or more"]
    tenure = pandas.cut(frame.tenure_days, [0, 14, 28, 56, 112, numpy.inf], right=False, labels=bands)
    return {
        "level": frame.is_paid.map({1: "paid", 0: "free"}),
        "gender": frame.is_female.map({1: "F", 0: "M"}).fillna("unknown"),
        "device": pandas.Series(device, index=frame.index),
        "tenure": tenure.astype(object).fillna("unknown"),
        "region": region,
    }


def expected_slices(frame, models: dict[str, numpy.ndarray], labels, segments) -> list[dict]:
    """What each model does on each slice."""
    counts, exposures = (frame[segments[which]].to_numpy() for which in ("counts", "exposures"))
    posteriors = made_up.segment_columns(segments, counts, exposures, frame.is_paid.to_numpy())[:, 1:]
    variables = {**sliced_by(frame), "segment": pandas.Series((posteriors.argmax(axis=1) + 1).astype(str))}
    found = []
    for model, scores in models.items():
        probability = 1 / (1 + numpy.exp(-(CALIBRATION["slope"] * scores + CALIBRATION["intercept"])))
        for variable, values in variables.items():
            for value in sorted(values.unique()):
                chosen = (values == value).to_numpy()
                both = len(numpy.unique(labels[chosen])) == 2
                found.append(
                    {
                        "model": model,
                        "variable": variable,
                        "value": value,
                        "users": int(chosen.sum()),
                        "cancelled": int(labels[chosen].sum()),
                        "predicted": float(probability[chosen].sum()),
                        "auc": float(metrics.roc_auc_score(labels[chosen], scores[chosen])) if both else None,
                    }
                )
    return sorted(found, key=lambda one: (one["model"], one["variable"], one["value"]))


def main() -> None:
    """Scores by every kind of model, slices of two of them, and what drives one of them."""
    step, folder = load(sys.argv[1]), sys.argv[2]
    spark = SparkSession.builder.master("local[1]").appName("drivers").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.conf.set("spark.sql.shuffle.partitions", 2)
    # Compiling these plans takes longer than interpreting them for so few rows.
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    names = made_up.NAMES
    frame = rows_of_users(step)
    segments = made_up.segment_model(step)
    segments["regression"]["products"] = step.SEGMENT_PRODUCTS
    segments["regression"]["weights"] += [0.03, -0.04, 0.05]
    inputs = [
        {"name": name, "group": group, "scale": scale, "fill": fill, "median": fill} for name, group, scale, fill in made_up.INPUTS
    ]
    read = numpy.column_stack([made_up.read(name, frame[name].to_numpy()) for name in names])
    counts, exposures = (frame[segments[which]].to_numpy() for which in ("counts", "exposures"))
    told = made_up.segment_columns(segments, counts, exposures, frame.is_paid.to_numpy())
    generator = numpy.random.default_rng(2)
    odds = read[:, 3] - 2 * read[:, 9] + 2 * read[:, 5] + 30 * read[:, 4] + told[:, 0] + 6
    labels = (generator.random(USERS) < 1 / (1 + numpy.exp(-odds))).astype(float)

    def training(matrix):
        rows = [(float(label), Vectors.dense(row)) for label, row in zip(labels, matrix, strict=True)]
        return spark.createDataFrame(rows, ["label", "features"])

    trees = SparkXGBClassifier(num_workers=1, n_estimators=20, max_depth=3, verbose=False, device="cpu")
    models = {
        "logistic_regression": classification.LogisticRegression(regParam=0.01).fit(training(read)),
        "random_forest": classification.RandomForestClassifier(numTrees=8, maxDepth=5, seed=1).fit(training(read)),
        "boosted_trees": trees.fit(training(read)),
        "segments": None,
        "segments_and_trees": trees.fit(training(numpy.hstack([read, told]))),
    }
    models["random_forest"].write().overwrite().save(f"{folder}/model")

    known = frame.astype(object).where(frame.notna(), None)
    schema = "user_id string, " + ", ".join(f"{name} double" for name in frame.columns[1:])
    test = spark.createDataFrame(known.values.tolist(), schema)
    answers = spark.createDataFrame([*zip(frame.user_id, labels.tolist(), strict=True)], "user_id string, label double")
    test = test.join(answers, "user_id").repartition(3).cache()
    users = step.UserValues(read, frame.is_paid.to_numpy(), step.ChannelCounts(counts, exposures))
    prepared = test.select("user_id", "label", *step.segment_source(), array_to_vector(step.input_array(inputs)).alias("features"))

    scores, difference, functions_of = {}, {}, {}
    for kind, model in models.items():
        of_segments = segments if kind.startswith("segments") else None
        scored = step.with_raw_score(kind, model, prepared, of_segments, names).select("user_id", "label", "raw_score").cache()
        by_user = {row.user_id: row.raw_score for row in scored.collect()}
        scores[kind] = (scored, numpy.array([by_user[user] for user in frame.user_id]))
        functions_of[kind] = step.score_function(spark, model, of_segments, names, folder)
        in_numpy = functions_of[kind](users)
        difference[kind] = [float(numpy.abs(in_numpy - scores[kind][1]).max()), float(in_numpy.std())]

    tested = {
        "challenger": step.TestedModel(scores["segments_and_trees"][0], CALIBRATION),
        "champion": step.TestedModel(scores["random_forest"][0], CALIBRATION),
    }
    slices = step.sliced(test, tested, segments)
    of_models = {"challenger": scores["segments_and_trees"][1], "champion": scores["random_forest"][1]}

    def driven(kind: str, ranked: list[str]):
        model = step.TestedModel(scores[kind][0], CALIBRATION)
        importance = [{"feature": name, "share": 0.1} for name in ranked]
        return step.what_drives(test, USERS, model, functions_of[kind], inputs, importance, 7)

    by_regression = driven("logistic_regression", names)
    channels = segments["counts"][:2]
    by_segments = driven("segments", [*channels, "is_paid", "tenure_days"])
    regression = models["logistic_regression"]

    def mean_fall(columns: list[int]) -> list[float]:
        """Mean and spread of the fall over many deals."""
        usual = metrics.roc_auc_score(labels, scores["logistic_regression"][1])
        falls = []
        for _ in range(100):
            changed = read.copy()
            changed[:, columns] = read[generator.permutation(USERS)][:, columns]
            falls.append(usual - metrics.roc_auc_score(labels, changed @ regression.coefficients.toArray()))
        return [float(numpy.mean(falls)), float(numpy.std(falls))]

    groups = sorted({group for _, group, *_ in made_up.INPUTS})
    probability = 1 / (1 + numpy.exp(-(CALIBRATION["slope"] * scores["logistic_regression"][1] + CALIBRATION["intercept"])))

    def counted(feature: str, bands: list[dict]) -> list[dict]:
        """The users of each band, counted again by its ends."""
        values = frame[feature].to_numpy()
        found = []
        for band in bands:
            lacks = numpy.isnan(values)
            chosen = lacks if band["lowest"] is None else (values >= band["lowest"]) & (values <= band["highest"])
            found.append(
                {
                    **{end: band[end] for end in ("lowest", "highest")},
                    "users": int(chosen.sum()),
                    "cancelled": int(labels[chosen].sum()),
                    "predicted": float(probability[chosen].sum()),
                }
            )
        return found

    rates = {count: frame[count] / frame[exposure].replace(0, numpy.nan) for count, exposure in zip(segments["counts"], segments["exposures"], strict=True)}

    def spearman(values, kind: str) -> float:
        chosen = ~numpy.isnan(values)
        return float(stats.spearmanr(values[chosen], scores[kind][1][chosen]).statistic)

    step.DRIVER_USERS = 100
    fewer = driven("logistic_regression", names[:3])
    one_outcome = step.what_drives(
        test.withColumn("label", functions.lit(0.0)), USERS, tested["challenger"], functions_of["segments"], inputs, [{"feature": "is_paid", "share": 1.0}], 7
    )
    print(
        json.dumps(
            {
                "difference": difference,
                "slices": {"stated": slices, "expected": expected_slices(frame, of_models, labels, segments)},
                "regression": by_regression,
                "again": driven("logistic_regression", names[:3]) == fewer,
                "falls": {name: mean_fall([index]) for index, name in enumerate(names)},
                "groupFalls": {group: mean_fall([i for i, one in enumerate(inputs) if one["group"] == group]) for group in groups},
                "counted": {one["feature"]: counted(one["feature"], one["bands"]) for one in by_regression["features"]},
                "correlations": {name: spearman(frame[name].to_numpy(), "logistic_regression") for name in names},
                "segments": by_segments,
                "channelCorrelations": {name: spearman(rates[name].to_numpy(), "segments") for name in channels},
                "fewer": fewer,
                "oneOutcome": one_outcome,
                "users": USERS,
                "starts": [
                    step.band_starts(numpy.array([0.0] * 90 + [1.0] * 5 + [2.0] * 5)),
                    step.band_starts(numpy.arange(100.0)),
                    step.band_starts(numpy.arange(103.0)),
                    step.band_starts(numpy.ones(50)),
                    step.band_starts(numpy.array([])),
                ],
            },
            allow_nan=False,
        )
    )
    spark.stop()


if __name__ == "__main__":
    main()
