"""Compares models on the days of simulated users, by the code of the steps themselves.

python model_bench.py <build-features.py> <train-models.py> <days.tsv> <settings as JSON>  Prints one JSON document: for
each model its figures on the users of the newest test cutoff.
"""

import importlib.util
import json
import sys

import numpy
import xgboost
from pyspark.ml.functions import vector_to_array
from pyspark.sql import SparkSession, functions
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

# Boosted trees as commit 5046780 had them: they read the length of observation, and nothing of earlier spells.
FORMERLY_READ = ["observed_days"]
READ_SINCE = ["spells_before", "days_since_return"]
TREES = {
    "n_estimators": 250,
    "max_depth": 3,
    "learning_rate": 0.03,
    "subsample": 0.7,
    "colsample_bytree": 0.3,
    "min_child_weight": 10,
    "reg_lambda": 5,
    "tree_method": "hist",
    "random_state": 1,
    "n_jobs": 2,
}
SURELY_ANOTHER = -6.0


def load(name: str, path: str):
    """A generated script as a module; its main() does not run."""
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def figures(labels: numpy.ndarray, scores: numpy.ndarray) -> dict[str, float]:
    """How well log-odds rank the test users, and how far their probabilities are off."""
    base, top = labels.mean(), numpy.argsort(-scores, kind="stable")[: round(len(labels) / 10)]
    probabilities = 1 / (1 + numpy.exp(-scores))
    return {
        "auc": float(metrics.roc_auc_score(labels, scores)),
        "average_precision_ratio": float(metrics.average_precision_score(labels, scores) / base),
        "lift_at_10": float(labels[top].mean() / base),
        "predicted_observed": float(probabilities.sum() / labels.sum()),
        "log_loss": float(metrics.log_loss(labels, probabilities)),
    }


class Rows:
    """Prepared rows of one role on the driver, in order of user and cutoff."""

    def __init__(self, train, prepared, role: str, names: list[str]) -> None:
        """Collects them; test rows are read as if they were training rows of one fold."""
        rows = prepared.where(functions.col("role") == role).withColumn("role", functions.lit("train"))
        rows = rows.withColumn("fold", functions.coalesce("fold", functions.lit(0)))
        self.segments = train.segment_rows(rows, names, 1, 1)
        collected = (
            rows.select(
                "user_id",
                "cutoff",
                "observed_days",
                "user_class",
                vector_to_array(functions.col("features")).alias("inputs"),
            )
            .toPandas()
            .sort_values(["user_id", "cutoff"])
        )
        self.inputs = numpy.array(collected["inputs"].tolist(), dtype=numpy.float32)
        self.observed_days = numpy.log1p(collected["observed_days"].to_numpy(dtype=float))
        self.classes = collected["user_class"].to_numpy(dtype=int)
        self.labels = self.segments.labels

    def of_former_trees(self, names: list[str]) -> numpy.ndarray:
        """What boosted trees read at commit 5046780."""
        kept = [index for index, name in enumerate(names) if name not in READ_SINCE]
        return numpy.column_stack([self.inputs[:, kept], self.observed_days])

    def true_posteriors(self, classes: int) -> numpy.ndarray:
        """Log posteriors of one who knows each user's class."""
        return numpy.where(numpy.arange(classes) == self.classes[:, None], 0.0, SURELY_ANOTHER)


def trees_fitted(inputs: numpy.ndarray, labels: numpy.ndarray, **more: float):
    """Boosted trees with the parameters of the candidates."""
    return xgboost.XGBClassifier(**TREES, **more).fit(inputs, labels)


def log_odds(model, inputs: numpy.ndarray) -> numpy.ndarray:
    """The score of boosted trees."""
    return model.predict(inputs, output_margin=True).astype(float)


def compare_models(train, known: Rows, test: Rows, names: list[str], seed: int) -> dict:
    """The former trees, the segments, their mean with trees that see them, and what nobody can know."""
    labels = known.labels
    fit = train.fit_segment_models(known.segments, 5, seed)
    model = fit.whole
    regression = model["regression"]

    def told(rows: Rows):
        channels = rows.segments.channels[model["halfLife"]]
        logarithms = train.log_posteriors(channels, model["mixture"])
        hazards = numpy.array(regression["hazards"])
        columns = train.segment_columns(
            logarithms, hazards, rows.segments.is_paid, rows.segments.plain, regression["plain"]
        )
        behind = columns[:, : 1 + logarithms.shape[1]]
        return train.regression_scores(rows.segments, logarithms, regression), numpy.column_stack(
            [rows.inputs, behind]
        )

    _, known_inputs = told(known)
    scores, test_inputs = told(test)
    trees = log_odds(trees_fitted(known_inputs, labels), test_inputs)
    classes = 1 + max(known.classes.max(), test.classes.max())
    everyone = numpy.ones(len(labels), dtype=bool)
    oracle = train.fit_regression(known.segments, known.true_posteriors(classes), everyone)
    former = trees_fitted(known.of_former_trees(names), labels)
    return {
        "former_boosted_trees": figures(test.labels, log_odds(former, test.of_former_trees(names))),
        "segments": figures(test.labels, scores),
        "segments_and_trees": figures(test.labels, (scores + trees) / 2),
        "oracle": figures(
            test.labels, train.regression_scores(test.segments, test.true_posteriors(classes), oracle)
        ),
    }


def compare_imbalance(known: Rows, test: Rows, names: list[str], seed: int) -> dict:
    """Class weights, the seed's undersampling to 1 : 1.25, and rows as they are; for trees and a regression."""
    generator = numpy.random.default_rng(seed)
    labels = known.labels
    negatives = numpy.flatnonzero(labels == 0)
    drawn = generator.choice(negatives, size=round(1.25 * labels.sum()), replace=False)
    under = numpy.sort(numpy.concatenate([numpy.flatnonzero(labels == 1), drawn]))
    weight = float((labels == 0).sum() / labels.sum())
    mean, spread = known.inputs.mean(axis=0), known.inputs.std(axis=0) + 1e-6
    scaled, scaled_test = (known.inputs - mean) / spread, (test.inputs - mean) / spread

    def regression(rows: numpy.ndarray, **more: str) -> dict:
        model = LogisticRegression(C=1 / 400, max_iter=200, **more).fit(scaled[rows], labels[rows])
        return figures(test.labels, model.decision_function(scaled_test))

    def trees(rows: numpy.ndarray, **more: float) -> dict:
        return figures(
            test.labels, log_odds(trees_fitted(known.inputs[rows], labels[rows], **more), test.inputs)
        )

    every = numpy.arange(len(labels))
    return {
        "logistic_regression, rows as they are": regression(every),
        "logistic_regression, class weights": regression(every, class_weight="balanced"),
        "logistic_regression, undersampled": regression(under),
        "boosted_trees, rows as they are": trees(every),
        "boosted_trees, class weights": trees(every, scale_pos_weight=weight),
        "boosted_trees, undersampled": trees(under),
    }


def main() -> None:
    """Makes the rows, trains, and prints the figures."""
    build, train = load("build_features", sys.argv[1]), load("train_models", sys.argv[2])
    settings = json.loads(sys.argv[4])
    spark = SparkSession.builder.master("local[2]").appName("bench").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    days = spark.read.csv(sys.argv[3], sep="\t", schema=settings["schema"])
    days = days.withColumn("artist_sketch", functions.lit(None).cast("binary"))
    user_classes = days.groupBy("user_id").agg(functions.max("user_class").alias("user_class"))
    user_days = days.drop("user_class").repartition(4, "user_id").cache()
    period = build.find_period(build.daily_rows(user_days), settings["training"])
    cutoffs = build.plan_cutoffs(period, settings["training"])
    spark.conf.set("spark.sql.shuffle.partitions", 4)
    features = build.point_in_time_rows(spark, user_days, cutoffs).where("role <> 'score'").cache()
    counts = train.census(features)
    inputs = train.learn_inputs(features.where("role = 'train'"), counts["train"]["rows"], [])
    names = [one["name"] for one in inputs]
    prepared = train.prepare(features, inputs, 4, settings["training"]).rows
    more = features.select("user_id", "cutoff", "observed_days").join(user_classes, "user_id")
    prepared = prepared.join(more, ["user_id", "cutoff"])
    known, test = Rows(train, prepared, "train", names), Rows(train, prepared, "test", names)
    seed = settings["training"]["seed"]
    found = (
        compare_imbalance(known, test, names, seed)
        if settings["imbalance"]
        else compare_models(train, known, test, names, seed)
    )
    print(json.dumps({"rows": len(test.labels), "figures": found}, allow_nan=False))
    spark.stop()


if __name__ == "__main__":
    main()
