"""Trains the candidates, judges them on the newest known outcomes, and stores the best.

Generated from emr-steps/train-models: change it there. Run by
spark-submit train-models.py --plan <uri of plan.json>
"""

import argparse
import atexit
import dataclasses
import functools
import json
import math
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import numpy
from pyspark.ml import classification
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.stat import Summarizer
from pyspark.sql import Column, DataFrame, SparkSession, Window, functions
from sklearn.linear_model import LogisticRegression as WeightedLogisticRegression
from xgboost.spark import SparkXGBClassifier

STEP = "train-models"
ERROR_LINES = 12


class StepError(Exception):
    """A failure that a person can act on."""

    def __init__(self, message: str, likely_cause: str, what_to_do: str) -> None:
        """Takes what went wrong, why that is likely, and the remedy."""
        super().__init__(message)
        self.likely_cause = likely_cause
        self.what_to_do = what_to_do


class Files:
    """Small text files, wherever Spark's file systems can reach."""

    def __init__(self, spark: SparkSession) -> None:
        """Uses the session's file systems and their credentials."""
        self._jvm = spark._jvm
        self._configuration = spark._jsc.hadoopConfiguration()

    def _path(self, uri: str):
        path = self._jvm.org.apache.hadoop.fs.Path(uri)
        file_system = path.getFileSystem(self._configuration)
        # Checksum files beside the objects would go stale when another program rewrites them.
        file_system.setWriteChecksum(False)
        return file_system, path

    def exists(self, uri: str) -> bool:
        """Says whether there is a file or folder."""
        file_system, path = self._path(uri)
        return file_system.exists(path)

    def read_text(self, uri: str) -> str:
        """Reads the whole file."""
        file_system, path = self._path(uri)
        stream = file_system.open(path)
        try:
            return self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
        finally:
            stream.close()

    def write_text(self, uri: str, text: str) -> None:
        """Writes the whole text or nothing: a reader never sees half of it."""
        file_system, path = self._path(uri)
        draft = path.suffix(".draft")
        stream = file_system.create(draft, True)
        try:
            stream.write(text.encode("utf-8"))
        finally:
            stream.close()
        file_system.delete(path, False)
        if not file_system.rename(draft, path):
            raise OSError(f"could not move {draft} to {path}")

    def read_json(self, uri: str) -> dict:
        """Reads one JSON document."""
        return json.loads(self.read_text(uri))

    def write_json(self, uri: str, value: dict) -> None:
        """Writes one JSON document, keys sorted; what is no number has no place in JSON."""
        self.write_text(uri, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def explain(error: Exception) -> dict:
    """Says what went wrong in the words of the person who is paged."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    message = "\n".join(lines[:ERROR_LINES]) or type(error).__name__
    if isinstance(error, StepError):
        cause, remedy = error.likely_cause, error.what_to_do
    elif "OutOfMemoryError" in message or "Container killed" in message:
        cause = "the data of one task did not fit into memory"
        remedy = "raise the cluster's size in the configuration and resume the run"
    elif "AccessDenied" in message or "403" in message:
        cause = "the cluster's role may not read or write what the message names"
        remedy = "grant it, then resume the run"
    else:
        cause = "unexpected: see the message and the step's log"
        remedy = "resume the run once the cause is mended; steps that succeeded are skipped"
    return {
        "step": STEP,
        "errorClass": type(error).__name__,
        "message": message,
        "likelyCause": cause,
        "whatToDo": remedy,
    }


def main() -> None:
    """Runs the step once for a plan; a result that stands is not made again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, help="URI of the run's plan.json")
    plan_uri = parser.parse_args().plan
    spark = SparkSession.builder.appName(f"churn {STEP}").getOrCreate()
    files = Files(spark)
    plan = files.read_json(plan_uri)
    outputs = plan["outputs"]
    try:
        if files.exists(outputs["results"][STEP]):
            print(f"{STEP}: the result of this plan stands, nothing to do", file=sys.stderr)
            return
        files.write_json(outputs["results"][STEP], run(spark, plan))
    except Exception as error:
        traceback.print_exc()
        files.write_json(outputs["errors"][STEP], explain(error))
        sys.exit(1)
    finally:
        spark.stop()


FEATURES = "lake.churn.features"
CANDIDATES = ["logistic_regression", "random_forest", "boosted_trees"]
ROWS_PER_TASK = 50_000
# Fewer users who cancel than this cannot be told from chance, nor dealt to folds.
LEAST_CANCELLERS = 4

# From the feature catalogue: features by group.
GROUPS = {
    "activity": [
        "events_last_3_days",
        "events_last_7_days",
        "events_last_14_days",
        "events_last_28_days",
        "events_per_day",
        "active_days_last_3_days",
        "active_days_last_7_days",
        "active_days_last_14_days",
        "active_days_last_28_days",
        "active_days_per_day",
        "begun_sessions_last_3_days",
        "begun_sessions_last_7_days",
        "begun_sessions_last_14_days",
        "begun_sessions_last_28_days",
        "begun_sessions_per_day",
        "session_hours_last_3_days",
        "session_hours_last_7_days",
        "session_hours_last_14_days",
        "session_hours_last_28_days",
        "session_hours_per_day",
        "home_visits_last_7_days",
        "home_visits_last_28_days",
        "home_visits_per_day",
        "logouts_last_7_days",
        "logouts_last_28_days",
        "logouts_per_day",
        "home_visits_per_event_last_28_days",
        "home_visits_per_event",
        "logouts_per_event_last_28_days",
        "logouts_per_event",
        "events_per_session_last_28_days",
        "events_per_session",
        "session_hours_per_session_last_28_days",
        "session_hours_per_session",
        "days_since_last_seen",
        "longest_absence_days",
    ],
    "listening": [
        "songs_last_3_days",
        "songs_last_7_days",
        "songs_last_14_days",
        "songs_last_28_days",
        "songs_per_day",
        "hours_listened_last_3_days",
        "hours_listened_last_7_days",
        "hours_listened_last_14_days",
        "hours_listened_last_28_days",
        "hours_listened_per_day",
        "songs_per_event_last_28_days",
        "songs_per_event",
        "songs_per_active_day_last_28_days",
        "songs_per_active_day",
        "most_songs_in_a_day",
        "artists_last_28_days",
        "artists",
    ],
    "enjoyment": [
        "thumbs_up_last_3_days",
        "thumbs_up_last_7_days",
        "thumbs_up_last_14_days",
        "thumbs_up_last_28_days",
        "thumbs_up_per_day",
        "thumbs_down_last_3_days",
        "thumbs_down_last_7_days",
        "thumbs_down_last_14_days",
        "thumbs_down_last_28_days",
        "thumbs_down_per_day",
        "playlist_adds_last_3_days",
        "playlist_adds_last_7_days",
        "playlist_adds_last_14_days",
        "playlist_adds_last_28_days",
        "playlist_adds_per_day",
        "friend_adds_last_3_days",
        "friend_adds_last_7_days",
        "friend_adds_last_14_days",
        "friend_adds_last_28_days",
        "friend_adds_per_day",
        "thumbs_up_per_song_last_7_days",
        "thumbs_up_per_song_last_28_days",
        "thumbs_up_per_song",
        "thumbs_down_per_song_last_7_days",
        "thumbs_down_per_song_last_28_days",
        "thumbs_down_per_song",
        "playlist_adds_per_song_last_28_days",
        "playlist_adds_per_song",
        "friend_adds_per_song_last_28_days",
        "friend_adds_per_song",
        "thumbs_down_per_thumb_up_last_28_days",
        "thumbs_down_per_thumb_up",
    ],
    "adverts": [
        "adverts_last_3_days",
        "adverts_last_7_days",
        "adverts_last_14_days",
        "adverts_last_28_days",
        "adverts_per_day",
        "adverts_per_free_song_last_7_days",
        "adverts_per_free_song_last_28_days",
        "adverts_per_free_song",
    ],
    "subscription": [
        "downgrade_visits_last_3_days",
        "downgrade_visits_last_7_days",
        "downgrade_visits_last_14_days",
        "downgrade_visits_last_28_days",
        "downgrade_visits_per_day",
        "upgrade_visits_last_28_days",
        "upgrade_visits_per_day",
        "level_changes_last_28_days",
        "level_changes_per_day",
        "downgrade_visits_per_event_last_28_days",
        "downgrade_visits_per_event",
        "upgrade_visits_per_event_last_28_days",
        "upgrade_visits_per_event",
        "paid_events_per_event_last_7_days",
        "paid_events_per_event_last_28_days",
        "paid_events_per_event",
        "days_since_level_change",
        "is_paid",
    ],
    "service": [
        "settings_visits_last_3_days",
        "settings_visits_last_7_days",
        "settings_visits_last_14_days",
        "settings_visits_last_28_days",
        "settings_visits_per_day",
        "help_visits_last_3_days",
        "help_visits_last_7_days",
        "help_visits_last_14_days",
        "help_visits_last_28_days",
        "help_visits_per_day",
        "errors_last_3_days",
        "errors_last_7_days",
        "errors_last_14_days",
        "errors_last_28_days",
        "errors_per_day",
        "settings_saves_last_28_days",
        "settings_saves_per_day",
        "about_visits_last_28_days",
        "about_visits_per_day",
        "help_visits_per_event_last_28_days",
        "help_visits_per_event",
        "settings_visits_per_event_last_28_days",
        "settings_visits_per_event",
        "errors_per_event_last_28_days",
        "errors_per_event",
    ],
    "habit": [
        "events_trend",
        "active_days_trend",
        "begun_sessions_trend",
        "songs_trend",
        "thumbs_up_trend",
        "thumbs_down_trend",
        "adverts_trend",
    ],
    "tenure": ["tenure_days", "observed_days"],
    "person": ["is_female", "in_northeast", "in_midwest", "in_south", "in_west"],
    "device": ["on_windows", "on_mac", "on_linux", "on_phone_or_tablet"],
}
# Features that enter as they are; all others as the logarithm of one more than they are.
LINEAR = [
    "events_trend",
    "active_days_trend",
    "begun_sessions_trend",
    "songs_trend",
    "thumbs_up_trend",
    "thumbs_down_trend",
    "adverts_trend",
    "is_paid",
    "is_female",
    "in_northeast",
    "in_midwest",
    "in_south",
    "in_west",
    "on_windows",
    "on_mac",
    "on_linux",
    "on_phone_or_tablet",
]
# What stands for a missing value, where it is not 0.
FILLED_WITH_MEDIAN = [
    "paid_events_per_event_last_7_days",
    "paid_events_per_event_last_28_days",
    "paid_events_per_event",
    "songs_per_event_last_28_days",
    "songs_per_event",
    "events_per_session_last_28_days",
    "events_per_session",
    "session_hours_per_session_last_28_days",
    "session_hours_per_session",
    "songs_per_active_day_last_28_days",
    "songs_per_active_day",
    "days_since_last_seen",
    "tenure_days",
    "observed_days",
]
FILLED_WITH = {
    "events_trend": 1,
    "active_days_trend": 1,
    "begun_sessions_trend": 1,
    "songs_trend": 1,
    "thumbs_up_trend": 1,
    "thumbs_down_trend": 1,
    "adverts_trend": 1,
    "days_since_level_change": 365,
    "is_female": 0.5,
}
# Medians are taken from about this many rows, chosen by a hash of the user.
MEDIAN_ROWS = 20_000


def learn_inputs(train: DataFrame, rows: int) -> list[dict]:
    """The models' inputs in order: scale, what stands for a missing value, and the training median."""
    names = [name for features in GROUPS.values() for name in features]
    share = min(1.0, MEDIAN_ROWS / rows)
    chosen = functions.pmod(functions.xxhash64("user_id"), functions.lit(1_000_000)) < share * 1_000_000
    # One sorted partition: the same medians every time.
    sample = train.where(chosen).repartition(1).sortWithinPartitions("user_id", "cutoff")
    medians = sample.agg(*(functions.percentile_approx(name, 0.5).alias(name) for name in names)).first()

    def fill(name: str) -> float:
        fixed = medians[name] if name in FILLED_WITH_MEDIAN else FILLED_WITH.get(name, 0)
        return float(fixed or 0)

    return [
        {
            "name": name,
            "group": group,
            "scale": "linear" if name in LINEAR else "log1p",
            "fill": fill(name),
            "median": float(fill(name) if medians[name] is None else medians[name]),
        }
        for group, features in GROUPS.items()
        for name in features
    ]


def iceberg_table(spark: SparkSession, table: str):
    """The table as Iceberg itself knows it, up to date: its metadata without a query."""
    loaded = spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, table)
    loaded.refresh()
    return loaded


def newest_snapshot(spark: SparkSession, table: str) -> str | None:
    """The snapshot that readers see, as text: its number exceeds what JSON readers hold exactly."""
    snapshot = iceberg_table(spark, table).currentSnapshot()
    return None if snapshot is None else str(snapshot.snapshotId())


def current_snapshot(spark: SparkSession, table: str) -> str:
    """The snapshot that readers see; a table without one was never filled."""
    snapshot = newest_snapshot(spark, table)
    if snapshot is None:
        raise StepError(
            f"the table {table} has no snapshot",
            "the step that fills it has not run, or found nothing to write",
            "run the pipeline from its first step",
        )
    return snapshot


def read_snapshot(spark: SparkSession, table: str, snapshot: str) -> DataFrame:
    """The table's rows as of one snapshot."""
    return spark.read.option("snapshot-id", snapshot).table(table)


def input_array(inputs: list[dict]) -> Column:
    """The values that the models see, in order: missing ones filled, long tails on a logarithmic scale."""
    filled = [f"coalesce({feature['name']}, {feature['fill']!r}D)" for feature in inputs]
    scaled = [
        f"ln(1 + {value})" if feature["scale"] == "log1p" else value
        for feature, value in zip(inputs, filled, strict=True)
    ]
    return functions.expr(f"array({', '.join(scaled)})")


SCORE_BINS = 10000


@dataclasses.dataclass(frozen=True)
class Histogram:
    """Rows by score, lowest first, in bins that hold at least one row."""

    lower: numpy.ndarray
    score: numpy.ndarray
    positives: numpy.ndarray
    negatives: numpy.ndarray

    @property
    def rows(self) -> numpy.ndarray:
        """Rows in each bin."""
        return self.positives + self.negatives

    @property
    def has_both_outcomes(self) -> bool:
        """Says whether somebody cancelled and somebody did not: without, nothing can be ranked."""
        return self.positives.sum() > 0 and self.negatives.sum() > 0


def score_histograms(scored: DataFrame) -> dict[str, Histogram]:
    """One histogram for each sample of the rows, in bins at the quantiles of the out-of-fold scores."""
    held_out = functions.when(functions.col("sample") == "out_of_fold", 1).otherwise(0)
    by_score = scored.groupBy("raw_score", "sample").agg(
        functions.count(functions.lit(1)).alias("rows"),
        functions.sum("label").alias("positives"),
        functions.sum(held_out).alias("quantile_rows"),
    )
    # One task orders the distinct scores; everything before and after it is spread.
    upwards = Window.orderBy("raw_score").rangeBetween(Window.unboundedPreceding, Window.currentRow)
    everything = Window.partitionBy()
    reached = functions.sum("quantile_rows").over(upwards) / functions.sum("quantile_rows").over(everything)
    # Sums of decimals do not depend on the order in which tasks end.
    weighted = functions.col("raw_score").cast("decimal(20,9)") * functions.col("rows")
    bins = (
        by_score.withColumn("bin", functions.floor(reached * SCORE_BINS))
        .withColumn("lower", functions.min("raw_score").over(Window.partitionBy("bin")))
        .groupBy("sample", "bin", "lower")
        .agg(
            functions.sum("rows").alias("rows"),
            functions.sum("positives").alias("positives"),
            (functions.sum(weighted).cast("double") / functions.sum("rows")).alias("score"),
        )
        .toPandas()
        .sort_values("bin")
    )
    return {
        sample: Histogram(
            lower=part["lower"].to_numpy(dtype=float),
            score=part["score"].to_numpy(dtype=float),
            positives=part["positives"].to_numpy(dtype=float),
            negatives=(part["rows"] - part["positives"]).to_numpy(dtype=float),
        )
        for sample, part in bins.groupby("sample")
    }


def constant_histograms(counts: dict[str, dict]) -> dict[str, Histogram]:
    """The histograms of a model that gives everybody the same score."""

    def one_bin(part: dict) -> Histogram:
        cancellations = numpy.array([float(part["cancellations"])])
        return Histogram(numpy.zeros(1), numpy.zeros(1), cancellations, part["rows"] - cancellations)

    return {"out_of_fold": one_bin(counts["train"]), "test": one_bin(counts["test"])}


def fit_log_odds(score: numpy.ndarray, positives: numpy.ndarray, negatives: numpy.ndarray) -> dict:
    """Slope and intercept of the log-odds of the outcome on a score."""
    model = WeightedLogisticRegression(C=numpy.inf, solver="newton-cholesky", tol=1e-10)
    outcomes = numpy.repeat([1, 0], len(score))
    model.fit(numpy.tile(score, 2).reshape(-1, 1), outcomes, numpy.concatenate([positives, negatives]))
    return {"slope": float(model.coef_[0, 0]), "intercept": float(model.intercept_[0])}


def platt_scaling(out_of_fold: Histogram) -> dict:
    """Calibration of a score (Platt 1999, with his smoothed targets, which hold few positives in check)."""
    positives, negatives = out_of_fold.positives.sum(), out_of_fold.negatives.sum()
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    yes = out_of_fold.positives * high + out_of_fold.negatives * low
    no = out_of_fold.rows - yes
    flat = {"slope": 0.0, "intercept": float(numpy.log(yes.sum() / no.sum()))}
    if len(out_of_fold.score) < 2:
        return flat
    fitted = fit_log_odds(out_of_fold.score, yes, no)
    # A score that ranks worse than chance says nothing: a falling probability would contradict the ranking.
    return fitted if fitted["slope"] > 0 else flat


def probability(calibration: dict, score: numpy.ndarray) -> numpy.ndarray:
    """Calibrated probability to cancel."""
    return 1 / (1 + numpy.exp(-(calibration["slope"] * score + calibration["intercept"])))


RESAMPLES = 500
RESAMPLES_AT_ONCE = 50
INTERVAL = [0.025, 0.975]
RELIABILITY_BINS = 10
SLOPE_ITERATIONS = 12
LONGEST_STEP = 2.0
LIFTS = {"lift_at_5": 5, "lift_at_10": 10, "lift_at_20": 20}


def auc(positives: numpy.ndarray, negatives: numpy.ndarray) -> numpy.ndarray:
    """Area under the ROC curve of each row of counts, bins from the lowest score to the highest."""
    below = numpy.cumsum(negatives, axis=1) - negatives / 2
    return (positives * below).sum(axis=1) / (positives.sum(axis=1) * negatives.sum(axis=1))


def average_precision(positives: numpy.ndarray, negatives: numpy.ndarray) -> numpy.ndarray:
    """Area under the precision-recall curve as a step function, for each row of counts."""
    falling = positives[:, ::-1]
    caught = numpy.cumsum(falling, axis=1)
    chosen = caught + numpy.cumsum(negatives[:, ::-1], axis=1)
    return (falling * caught / numpy.maximum(chosen, 1)).sum(axis=1) / positives.sum(axis=1)


def lift(positives: numpy.ndarray, negatives: numpy.ndarray, share: float) -> numpy.ndarray:
    """Share of cancellers among the top of the ranking against their share of all, for each row of counts."""
    rows = (positives + negatives)[:, ::-1]
    before = numpy.cumsum(rows, axis=1) - rows
    wanted = share * rows.sum(axis=1, keepdims=True)
    taken = numpy.clip((wanted - before) / numpy.maximum(rows, 1), 0, 1)
    return (positives[:, ::-1] * taken).sum(axis=1) / positives.sum(axis=1) / share


def bounded(step: numpy.ndarray) -> numpy.ndarray:
    """The step, or the longest one in its direction."""
    return numpy.clip(step, -LONGEST_STEP, LONGEST_STEP)


def recalibration_slope(
    positives: numpy.ndarray, negatives: numpy.ndarray, log_odds: numpy.ndarray
) -> numpy.ndarray:
    """Slope of the outcome on the log-odds of the probability, for each row of counts.

    Newton's method from the probabilities as they are, for all rows at once: a library fits one sample at a time.
    Its steps are bounded: where few cancel, a sample may have no finite slope.
    """
    rows = positives + negatives
    slope, intercept = numpy.ones(len(rows)), numpy.zeros(len(rows))
    for _ in range(SLOPE_ITERATIONS):
        expected = 1 / (1 + numpy.exp(-(slope[:, None] * log_odds + intercept[:, None])))
        surplus, weight = positives - rows * expected, rows * expected * (1 - expected)
        plain, first, second = weight.sum(axis=1), weight @ log_odds, weight @ log_odds**2
        total, leaning = surplus.sum(axis=1), surplus @ log_odds
        determinant = numpy.maximum(plain * second - first**2, numpy.finfo(float).tiny)
        slope = slope + bounded((plain * leaning - first * total) / determinant)
        intercept = intercept + bounded((second * total - first * leaning) / determinant)
    return slope


def equal_count_bins(
    positives: numpy.ndarray, negatives: numpy.ndarray, predicted: numpy.ndarray
) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Users, mean probability and share that cancelled, in bins of equally many users."""
    users = positives + negatives
    before = numpy.concatenate([[0], numpy.cumsum(users)])
    cuts = numpy.linspace(0, before[-1], RELIABILITY_BINS + 1)

    def in_bins(amounts: numpy.ndarray) -> numpy.ndarray:
        return numpy.diff(numpy.interp(cuts, before, numpy.concatenate([[0], numpy.cumsum(amounts)])))

    in_each = in_bins(users)
    return in_each, in_bins(users * predicted) / in_each, in_bins(positives) / in_each


def calibration_error(
    positives: numpy.ndarray, negatives: numpy.ndarray, predicted: numpy.ndarray
) -> numpy.ndarray:
    """Expected calibration error over bins of equally many users, for each row of counts."""
    errors = []
    for cancelled, stayed in zip(positives, negatives, strict=True):
        users, mean, share = equal_count_bins(cancelled, stayed, predicted)
        errors.append((users * numpy.abs(mean - share)).sum() / users.sum())
    return numpy.array(errors)


def measures(histogram: Histogram, calibration: dict, thresholds: dict[str, float]) -> dict:
    """The figures that can be computed, by name: each takes rows of positives and negatives in the bins."""
    predicted = probability(calibration, histogram.score)
    log_odds = calibration["slope"] * histogram.score + calibration["intercept"]
    contacted = histogram.lower >= thresholds["best_balanced_accuracy"]

    def base_rate(positives, negatives):
        return positives.sum(axis=1) / (positives + negatives).sum(axis=1)

    def brier(positives, negatives):
        squares = positives @ (1 - predicted) ** 2 + negatives @ predicted**2
        return squares / (positives + negatives).sum(axis=1)

    def log_loss(positives, negatives):
        surprise = positives @ numpy.log(predicted) + negatives @ numpy.log1p(-predicted)
        return -surprise / (positives + negatives).sum(axis=1)

    def brier_skill(positives, negatives):
        rate = base_rate(positives, negatives)
        return 1 - brier(positives, negatives) / (rate * (1 - rate))

    def precision_ratio(positives, negatives):
        return average_precision(positives, negatives) / base_rate(positives, negatives)

    def balanced_accuracy(positives, negatives):
        recall = positives[:, contacted].sum(axis=1) / positives.sum(axis=1)
        specificity = negatives[:, ~contacted].sum(axis=1) / negatives.sum(axis=1)
        return (recall + specificity) / 2

    of_probabilities = {
        "brier": brier,
        "log_loss": log_loss,
        "calibration_error": functools.partial(calibration_error, predicted=predicted),
    }
    if not histogram.has_both_outcomes:
        return of_probabilities
    of_slope = {}
    if numpy.ptp(log_odds) > 0:
        of_slope["calibration_slope"] = functools.partial(recalibration_slope, log_odds=log_odds)
    return {
        "auc": auc,
        "average_precision": average_precision,
        "average_precision_ratio": precision_ratio,
        **{name: functools.partial(lift, share=percent / 100) for name, percent in LIFTS.items()},
        "balanced_accuracy": balanced_accuracy,
        **of_probabilities,
        "brier_skill": brier_skill,
        **of_slope,
    }


def resampled(histogram: Histogram, named: dict, seed: int) -> dict[str, list[float]]:
    """95 % intervals by resampling users: with one row a user, that is resampling the histogram's counts."""
    generator = numpy.random.default_rng(seed)
    cells = numpy.concatenate([histogram.positives, histogram.negatives])
    rows = int(cells.sum())
    values: dict[str, list] = {name: [] for name in named}
    for _ in range(RESAMPLES // RESAMPLES_AT_ONCE):
        draws = generator.multinomial(rows, cells / rows, size=RESAMPLES_AT_ONCE)
        positives, negatives = numpy.split(draws.astype(float), 2, axis=1)
        # Where both outcomes are there to be measured, a draw without one of them measures nothing.
        usable = (positives.any(axis=1) & negatives.any(axis=1)) | (not histogram.has_both_outcomes)
        for name, measure in named.items():
            values[name].append(measure(positives[usable], negatives[usable]))
    joined = {name: numpy.concatenate(parts) for name, parts in values.items()}
    return {name: numpy.quantile(figures, INTERVAL).tolist() for name, figures in joined.items()}


def figures(
    histogram: Histogram, calibration: dict, thresholds: dict[str, float], seed: int
) -> dict[str, dict]:
    """How well the score ranks, and how far its probabilities can be believed; each with its 95 % interval."""
    named = measures(histogram, calibration, thresholds)
    intervals = resampled(histogram, named, seed)
    counts = histogram.positives.reshape(1, -1), histogram.negatives.reshape(1, -1)
    return {
        name: {"value": float(measure(*counts)[0]), "low": intervals[name][0], "high": intervals[name][1]}
        for name, measure in named.items()
    }


def reliability(histogram: Histogram, calibration: dict) -> list[dict]:
    """Mean probability and share that cancelled, in bins of equally many users."""
    predicted = probability(calibration, histogram.score)
    bins = equal_count_bins(histogram.positives, histogram.negatives, predicted)
    return [
        {"predicted": float(mean), "observed": float(share), "users": float(count)}
        for count, mean, share in zip(*bins, strict=True)
    ]


def confusion(histogram: Histogram) -> dict[str, numpy.ndarray]:
    """Outcomes when everybody from a bin upwards is taken to cancel, for each bin."""
    caught = numpy.cumsum(histogram.positives[::-1])[::-1]
    alarmed = numpy.cumsum(histogram.negatives[::-1])[::-1]
    return {
        "truePositives": caught,
        "falsePositives": alarmed,
        "trueNegatives": histogram.negatives.sum() - alarmed,
        "falseNegatives": histogram.positives.sum() - caught,
    }


def shares(counts: dict[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
    """Precision, recall, F1 and balanced accuracy; a share of nothing is 0."""
    caught, alarmed = counts["truePositives"], counts["falsePositives"]
    spared, missed = counts["trueNegatives"], counts["falseNegatives"]

    def share(part: numpy.ndarray, whole: numpy.ndarray) -> numpy.ndarray:
        return numpy.divide(part, whole, out=numpy.zeros_like(part), where=whole > 0)

    recall, specificity = share(caught, caught + missed), share(spared, spared + alarmed)
    return {
        "precision": share(caught, caught + alarmed),
        "recall": recall,
        "f1": share(2 * caught, 2 * caught + alarmed + missed),
        "balancedAccuracy": (recall + specificity) / 2,
    }


RULES = {"best_f1": "f1", "best_balanced_accuracy": "balancedAccuracy"}


def score_thresholds(out_of_fold: Histogram) -> dict[str, float]:
    """Lowest score that is taken to mean a cancellation, by each rule, from out-of-fold scores alone."""
    figures = shares(confusion(out_of_fold))
    return {rule: float(out_of_fold.lower[numpy.argmax(figures[figure])]) for rule, figure in RULES.items()}


def decisions(test: Histogram, thresholds: dict[str, float], calibration: dict) -> dict[str, dict]:
    """What each threshold does to the test rows."""
    results = {}
    for rule, threshold in thresholds.items():
        upper = test.lower >= threshold
        whole = {
            "truePositives": test.positives[upper].sum(),
            "falsePositives": test.negatives[upper].sum(),
            "trueNegatives": test.negatives[~upper].sum(),
            "falseNegatives": test.positives[~upper].sum(),
        }
        counts = {name: numpy.array([count]) for name, count in whole.items()}
        figures = {**counts, **shares(counts)}
        results[rule] = {
            "threshold": float(probability(calibration, threshold)),
            **{name: float(values[0]) for name, values in figures.items()},
        }
    return results


def evaluate(model: str, kind: str, histograms: dict[str, Histogram], seed: int, fit_seconds: float) -> dict:
    """A model's figures on the test rows, with what was learnt from its out-of-fold scores."""
    out_of_fold, test = histograms["out_of_fold"], histograms["test"]
    calibration, thresholds = platt_scaling(out_of_fold), score_thresholds(out_of_fold)
    return {
        "model": model,
        "kind": kind,
        "metrics": figures(test, calibration, thresholds, seed),
        "decisions": decisions(test, thresholds, calibration),
        "reliability": reliability(test, calibration),
        "fitSeconds": round(fit_seconds, 3),
    }


SCORE_TENTHS = 10


def score_bins(test: Histogram) -> dict:
    """Tenths of the test rows by score: the lowest score of each but the first, and the rows of each."""
    middle = numpy.cumsum(test.rows) - test.rows / 2
    tenth = numpy.floor(SCORE_TENTHS * middle / test.rows.sum())
    _, first = numpy.unique(tenth, return_index=True)
    rows = numpy.add.reduceat(test.rows, first)
    return {"starts": test.lower[first[1:]].tolist(), "rows": [int(count) for count in rows]}


# Chosen on out-of-fold rows of authentic logs; more trees or depth add time and no precision.
PENALTY_ROWS = 400
REGRESSION_ROWS_PER_TASK = 500_000
FOREST = {"numTrees": 60, "maxDepth": 7, "minInstancesPerNode": 10, "featureSubsetStrategy": "sqrt"}
BOOSTING = {
    "n_estimators": 250,
    "max_depth": 3,
    "learning_rate": 0.03,
    "subsample": 0.7,
    "colsample_bytree": 0.3,
    "min_child_weight": 10,
    "reg_lambda": 5,
    "tree_method": "hist",
    "device": "cpu",
}


def in_parts(train: DataFrame, parts: int) -> DataFrame:
    """The rows in a number of partitions, whole users in each, in the same order every time."""
    return train.repartition(parts, "user_id").sortWithinPartitions("user_id", "cutoff")


def fit_logistic_regression(train: DataFrame, rows: int, settings: dict):
    """Ridge-penalised logistic regression; the inputs are standardised within.

    Few large partitions: each iteration is one quick job, and with one partition no sum depends on which
    task ends first.
    """
    parts = in_parts(train, math.ceil(rows / REGRESSION_ROWS_PER_TASK))
    penalty = PENALTY_ROWS / rows
    return classification.LogisticRegression(regParam=penalty, maxIter=40, tol=1e-5).fit(parts)


def fit_random_forest(train: DataFrame, rows: int, settings: dict):
    """A small forest."""
    return classification.RandomForestClassifier(seed=settings["seed"], **FOREST).fit(train)


def fit_boosted_trees(train: DataFrame, rows: int, settings: dict):
    """Gradient-boosted trees, trained by barrier tasks that each hold one partition."""
    workers, seed = settings["boostingWorkers"], settings["seed"]
    booster = SparkXGBClassifier(num_workers=workers, random_state=seed, verbose=False, **BOOSTING)
    return booster.fit(in_parts(train, workers))


FIT = {
    "logistic_regression": fit_logistic_regression,
    "random_forest": fit_random_forest,
    "boosted_trees": fit_boosted_trees,
}


def importance(kind: str, model, inputs: list[dict], train: DataFrame) -> list[dict]:
    """Each feature's share of the model's gain, or of its absolute standardised weights; largest first."""
    if kind == "boosted_trees":
        gain = model.get_booster().get_score(importance_type="total_gain")
        amounts = [gain.get(f"f{index}", 0.0) for index in range(len(inputs))]
    elif kind == "random_forest":
        amounts = model.featureImportances.toArray().tolist()
    else:
        deviation = train.select(Summarizer.std(train.features).alias("deviation")).first().deviation
        amounts = numpy.abs(model.coefficients.toArray() * deviation.toArray()).tolist()
    total = sum(amounts) or 1.0
    ranked = sorted(zip(amounts, inputs, strict=True), key=lambda pair: (-pair[0], pair[1]["name"]))
    shares = [{"feature": feature["name"], "share": round(amount / total, 6)} for amount, feature in ranked]
    return [entry for entry in shares if entry["share"] > 0]


# A forest may be sure; its log-odds must stay finite.
LEAST_PROBABILITY = 1e-6
SCORE_DECIMALS = 6


def with_raw_score(kind: str, model, rows: DataFrame) -> DataFrame:
    """Adds the model's uncalibrated score: log-odds, rounded so that summation order cannot show."""
    if kind == "base_rate":
        return rows.withColumn("raw_score", functions.lit(0.0))
    scored = model.transform(rows)
    if kind == "random_forest":
        share = vector_to_array("probability")[1]
        score = functions.log((share + LEAST_PROBABILITY) / (1 - share + LEAST_PROBABILITY))
    else:
        score = vector_to_array("rawPrediction")[1]
    return scored.withColumn("raw_score", functions.round(score, SCORE_DECIMALS))


def release_barrier_timer(spark: SparkSession) -> None:
    """Lets a local driver end: Spark 3.5 keeps a timer of barrier tasks alive in it (SPARK-46895)."""
    context = getattr(getattr(spark._jvm.org.apache.spark, "BarrierTaskContext$"), "MODULE$")
    getattr(context, "org$apache$spark$BarrierTaskContext$$timer")().cancel()


def with_folds(rows: DataFrame, folds: int, seed: int) -> DataFrame:
    """Deals whole users to folds in the order of a hash, those who cancel and those who do not apart."""
    users = rows.where("role = 'train'").groupBy("user_id").agg(functions.max("label").alias("cancels"))
    shuffled = functions.xxhash64("user_id", functions.lit(seed))
    place = functions.row_number().over(Window.partitionBy("cancels").orderBy(shuffled, "user_id"))
    return rows.join(users.select("user_id", (place % folds).alias("fold")), "user_id", "left")


def prepare(features: DataFrame, inputs: list[dict], tasks: int, settings: dict) -> DataFrame:
    """Training and test rows with the models' inputs and a fold; cached, in the same order every time."""
    known = features.where("role IN ('train', 'test')").select(
        "user_id",
        "cutoff",
        "role",
        functions.col("label").cast("double").alias("label"),
        "days_since_last_seen",
        array_to_vector(input_array(inputs)).alias("features"),
    )
    return (
        with_folds(known, settings["folds"], settings["seed"])
        .repartition(tasks, "user_id")
        .sortWithinPartitions("user_id", "cutoff")
        .cache()
    )


def census(features: DataFrame) -> dict[str, dict]:
    """Rows, cancellations and users who cancel, of the training and of the test rows."""
    canceller = functions.when(functions.col("label") == 1, functions.col("user_id"))
    counts = features.groupBy("role").agg(
        functions.count(functions.lit(1)).alias("rows"),
        functions.sum("label").alias("cancellations"),
        functions.countDistinct(canceller).alias("cancellers"),
        functions.max("cutoff").alias("cutoff"),
    )
    return {row.role: row.asDict() for row in counts.collect()}


def sampled(scored: DataFrame, sample: str) -> DataFrame:
    """What an evaluation needs of scored rows."""
    return scored.select(functions.lit(sample).alias("sample"), "label", "raw_score")


def train_candidate(kind: str, rows: DataFrame, train_rows: int, settings: dict) -> dict:
    """Scores training rows by models that did not see their users, and test rows by a model of all of them."""
    started = time.monotonic()
    train = rows.where("role = 'train'")
    samples = []
    for fold in range(settings["folds"]):
        others = FIT[kind](train.where(functions.col("fold") != fold), train_rows, settings)
        held_out = train.where(functions.col("fold") == fold)
        samples.append(sampled(with_raw_score(kind, others, held_out), "out_of_fold"))
    model = FIT[kind](train, train_rows, settings)
    fit_seconds = time.monotonic() - started
    samples.append(sampled(with_raw_score(kind, model, rows.where("role = 'test'")), "test"))
    histograms = score_histograms(functools.reduce(DataFrame.union, samples))
    evaluation = evaluate(kind, "candidate", histograms, settings["seed"], fit_seconds)
    return {"kind": kind, "model": model, "histograms": histograms, "evaluation": evaluation}


def train_candidates(rows: DataFrame, train_rows: int, settings: dict) -> list[dict]:
    """Trains the candidates side by side: each leaves the cores idle for much of its time."""
    with ThreadPoolExecutor(len(CANDIDATES)) as pool:
        return list(pool.map(lambda kind: train_candidate(kind, rows, train_rows, settings), CANDIDATES))


def judge_baselines(rows: DataFrame, counts: dict[str, dict], seed: int) -> list[dict]:
    """The trivial models that any candidate must beat."""
    direction = rows.where("role = 'train'").stat.corr("days_since_last_seen", "label")
    days = functions.log1p("days_since_last_seen") * (1.0 if direction > 0 else -1.0)
    by_recency = rows.select(
        functions.when(rows.role == "train", "out_of_fold").otherwise("test").alias("sample"),
        "label",
        functions.round(days, SCORE_DECIMALS).alias("raw_score"),
    )
    return [
        evaluate("base_rate", "baseline", constant_histograms(counts), seed, 0),
        evaluate("days_since_last_seen", "baseline", score_histograms(by_recency), seed, 0),
    ]


def held_out_precision(trained: dict) -> float:
    """Average precision on out-of-fold rows, by which the model is chosen: the test rows stay untouched."""
    histogram = trained["histograms"]["out_of_fold"]
    return float(average_precision(histogram.positives.reshape(1, -1), histogram.negatives.reshape(1, -1))[0])


def reliability_reason(counts: dict[str, dict], least: int) -> str:
    """Why the figures cannot be trusted; empty when they can."""
    cancellers = counts["train"]["cancellers"]
    if cancellers < least:
        return (
            f"only {cancellers} users cancel in the training rows and {least} are needed: "
            "the figures are guesses, and this model does not replace another"
        )
    if counts["test"]["cancellations"] in (0, counts["test"]["rows"]):
        return "the test rows hold one outcome only: nothing could be measured on them"
    return ""


def store(files: Files, folder: str, description: dict, model) -> None:
    """Writes the model and then its description, which is what a reader looks for."""
    if model is not None:
        model.write().overwrite().save(f"{folder}/model")
    files.write_json(f"{folder}/model.json", description)


def run(spark: SparkSession, plan: dict) -> dict:
    """Trains, judges, chooses and stores."""
    settings = plan["training"]
    if spark.sparkContext._jsc.sc().isLocal():
        atexit.register(release_barrier_timer, spark)
    snapshot = current_snapshot(spark, FEATURES)
    features = read_snapshot(spark, FEATURES, snapshot)
    counts = census(features)
    train, test = counts["train"], counts["test"]
    tasks = max(2, math.ceil(train["rows"] / ROWS_PER_TASK))
    spark.conf.set("spark.sql.shuffle.partitions", tasks)
    inputs = learn_inputs(features.where("role = 'train'"), train["rows"])
    rows = prepare(features, inputs, tasks, settings)

    evaluations = judge_baselines(rows, counts, settings["seed"])
    trainable = train["cancellers"] >= LEAST_CANCELLERS and train["cancellations"] < train["rows"]
    candidates = train_candidates(rows, train["rows"], settings) if trainable else []
    evaluations += [trained["evaluation"] for trained in candidates]
    chosen = max(candidates, key=held_out_precision, default=None)
    reason = reliability_reason(counts, settings["minCancellations"])
    histograms = chosen["histograms"] if chosen else constant_histograms(counts)
    description = {
        "kind": chosen["kind"] if chosen else "base_rate",
        "inputs": inputs,
        "calibration": platt_scaling(histograms["out_of_fold"]),
        "scoreThresholds": score_thresholds(histograms["out_of_fold"]),
        "runId": plan["runId"],
        "horizonDays": settings["horizonDays"],
        "testCutoff": str(test["cutoff"]),
        "featuresSnapshot": snapshot,
        "testScores": score_bins(histograms["test"]),
    }
    store(Files(spark), plan["outputs"]["model"], description, chosen["model"] if chosen else None)
    ranked = (
        importance(chosen["kind"], chosen["model"], inputs, rows.where("role = 'train'")) if chosen else []
    )
    return {
        "trainRows": train["rows"],
        "trainCancellations": train["cancellations"],
        "testRows": test["rows"],
        "testCancellations": test["cancellations"],
        "testCutoff": str(test["cutoff"]),
        "evaluations": evaluations,
        "chosen": description["kind"],
        "reliable": reason == "",
        "reliabilityReason": reason,
        "importance": ranked,
        "modelUri": plan["outputs"]["model"],
        "featuresSnapshot": snapshot,
    }


if __name__ == "__main__":
    main()
