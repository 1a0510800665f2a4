"""Scores every living user, says which groups of features raise the score, and measures drift.

Generated from emr-steps/score-users: change it there. Run by
spark-submit score-users.py --plan <uri of plan.json>
"""

import argparse
import datetime
import itertools
import json
import math
import sys
import traceback

from pyspark.ml import classification
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import Column, DataFrame, SparkSession, Window, functions
from xgboost.spark import SparkXGBClassifierModel

STEP = "score-users"
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
SCORES = "lake.churn.scores"
SCORES_DEFINITION = """
CREATE TABLE IF NOT EXISTS lake.churn.scores (
  run_id string COMMENT 'run that scored',
  user_id string COMMENT 'user',
  cutoff date COMMENT 'scoring cutoff: everything before midnight (UTC) at the start of this day was known',
  probability double COMMENT 'calibrated probability that the user cancels within the horizon',
  raw_score double COMMENT 'the model\\'s uncalibrated score (log-odds), by which users are ranked',
  decile int COMMENT 'tenth of the users by score; 1 is the most at risk',
  rank bigint COMMENT 'rank by score; 1 is the most at risk',
  level string COMMENT 'subscription at the latest event',
  in_control_group boolean COMMENT 'never to be contacted, so that the effect of contacting can be measured',
  reasons array<string> COMMENT 'groups of features that raise the score most, strongest first'
) USING iceberg
PARTITIONED BY (run_id)
COMMENT 'living user x run'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true'
)
"""
COLUMNS = [
    "run_id",
    "user_id",
    "cutoff",
    "probability",
    "raw_score",
    "decile",
    "rank",
    "level",
    "in_control_group",
    "reasons",
]
# The name under which a row is scored as it is, beside the groups of features.
AS_IT_IS = ""
REASONS = 3
TOP_USERS = 50
HASH_VALUES = 2**32


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


SNAPSHOT_RETENTION_DAYS = 90


def expire_snapshots(spark: SparkSession, plan: dict, tables: list[str], days: int) -> None:
    """Removes snapshots that are so many days old, with the files that only they use.

    What a branch points at stays, so a batch that is under way loses nothing.
    """
    planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
    oldest = planned_at - datetime.timedelta(days=days)
    for table in tables:
        iceberg_table(spark, table).expireSnapshots().expireOlderThan(int(oldest.timestamp() * 1000)).commit()


def input_array(inputs: list[dict]) -> Column:
    """The values that the models see, in order: missing ones filled, long tails on a logarithmic scale."""
    filled = [f"coalesce({feature['name']}, {feature['fill']!r}D)" for feature in inputs]
    scaled = [
        f"ln(1 + {value})" if feature["scale"] == "log1p" else value
        for feature, value in zip(inputs, filled, strict=True)
    ]
    return functions.expr(f"array({', '.join(scaled)})")


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


LOADERS = {
    "logistic_regression": classification.LogisticRegressionModel,
    "random_forest": classification.RandomForestClassificationModel,
    "boosted_trees": SparkXGBClassifierModel,
}


def load(files: Files, folder: str):
    """A stored model's description, and the model itself (none for the base rate)."""
    if not files.exists(f"{folder}/model.json"):
        raise StepError(
            f"there is no model at {folder}",
            "train-models has not run for this plan, or its output was removed",
            "run the pipeline from train-models",
        )
    description = files.read_json(f"{folder}/model.json")
    loader = LOADERS.get(description["kind"])
    return description, loader.load(f"{folder}/model") if loader else None


TENTHS = 10
# About so many users of each cutoff, chosen by a hash, are enough: chance hardly moves their index by .01.
DRIFT_USERS = 5_000
EMPTY_BIN_ROWS = 0.5
INDEX_DECIMALS = 6


def stability_index(bins: list[tuple[int, int]]) -> float:
    """Population stability index of tested and scored rows by bin: the sum of (s - t) ln(s / t) over shares.

    It is the symmetric divergence of Kullback and Leibler (Ann. Math. Statist. 22, 1951). An empty bin counts as
    half a row, so that the index stays finite; one that is empty on both sides counts for nothing. Where a side
    has no rows at all there is nothing to compare.
    """
    tested, scored = sum(before for before, _ in bins), sum(after for _, after in bins)
    if tested == 0 or scored == 0:
        return 0.0
    shares = [
        (max(before, EMPTY_BIN_ROWS) / tested, max(after, EMPTY_BIN_ROWS) / scored)
        for before, after in bins
        if before or after
    ]
    index = math.fsum((after - before) * math.log(after / before) for before, after in shares)
    return round(index, INDEX_DECIMALS)


def feature_drift(features: DataFrame, names: list[str], tested_users: int) -> list[dict]:
    """Each feature's stability index between the test and the scoring cutoff, largest first; one job for all."""
    share = min(1.0, DRIFT_USERS / tested_users)
    chosen = functions.pmod(functions.xxhash64("user_id"), functions.lit(1_000_000)) < share * 1_000_000
    values = (
        features.where("role IN ('test', 'score')")
        .where(chosen)
        .select("role", functions.posexplode(functions.array(*names)).alias("feature", "value"))
    )
    rows = [functions.count_if(functions.col("role") == role).alias(role) for role in ("test", "score")]
    known = Window.partitionBy("feature", functions.isnull("value"))
    middle = functions.sum("test").over(known.orderBy("value")) - functions.col("test") / 2
    rank = middle / functions.sum("test").over(known)
    # Where no test row knows a feature there is no rank: least() passes over it, so known values get the last tenth.
    tenth = functions.least(functions.floor(TENTHS * rank), functions.lit(TENTHS - 1))
    # A missing value has a bin of its own.
    bin_of_value = functions.when(functions.col("value").isNotNull(), tenth)
    bins = (
        values.groupBy("feature", "value")
        .agg(*rows)
        .withColumn("bin", bin_of_value)
        .groupBy("feature", "bin")
        .agg(functions.sum("test").alias("test"), functions.sum("score").alias("score"))
    )
    counts: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
    for row in bins.collect():
        counts[names[row.feature]].append((row.test, row.score))
    drift = [{"feature": name, "psi": stability_index(counts[name])} for name in names]
    return sorted(drift, key=lambda entry: (-entry["psi"], entry["feature"]))


def reaching(starts: list[float]) -> Column:
    """How many users' scores reach each start: an aggregate."""
    return functions.array(*(functions.count_if(functions.col("raw_score") >= start) for start in starts))


def score_drift(test_scores: dict, users: int, reached: list[int]) -> float:
    """The score's stability index, from how many users reach each tenth's start."""
    scored = [more - fewer for more, fewer in itertools.pairwise([users, *reached, 0])]
    return stability_index(list(zip(test_scores["rows"], scored, strict=True)))


def living_users(features: DataFrame, inputs: list[dict]) -> DataFrame:
    """The rows to score, with what the model must know of them."""
    missing = [feature["name"] for feature in inputs if feature["name"] not in features.columns]
    if missing:
        raise StepError(
            f"the model needs features that the table does not have: {', '.join(missing)}",
            "the feature catalogue changed after the model was trained",
            "run the pipeline from build-features",
        )
    return features.where("role = 'score'").select(
        "user_id", "cutoff", "is_paid", input_array(inputs).alias("inputs")
    )


def with_variants(users: DataFrame, inputs: list[dict]) -> DataFrame:
    """Each row as it is, and once more for each group with the group's inputs at their training medians."""
    groups = list(dict.fromkeys(feature["group"] for feature in inputs))
    group_of = functions.lit([feature["group"] for feature in inputs])
    medians = functions.lit(
        [
            math.log1p(feature["median"]) if feature["scale"] == "log1p" else feature["median"]
            for feature in inputs
        ]
    )
    variants = users.withColumn("variant", functions.explode(functions.lit([AS_IT_IS, *groups])))

    def replaced(value: Column, index: Column) -> Column:
        return functions.when(group_of[index] == functions.col("variant"), medians[index]).otherwise(value)

    return variants.withColumn("features", array_to_vector(functions.transform("inputs", replaced)))


def with_reasons(scored: DataFrame) -> DataFrame:
    """One row a user: the score, and the groups without which it would be lower, strongest first."""
    as_it_is = functions.col("variant") == AS_IT_IS
    score = functions.max(functions.when(as_it_is, functions.col("raw_score")))
    others = functions.collect_list(functions.when(~as_it_is, functions.struct("raw_score", "variant")))
    users = scored.groupBy("user_id", "cutoff", "is_paid").agg(
        score.alias("raw_score"), others.alias("others")
    )
    rises = "transform(others, other -> struct(raw_score - other.raw_score AS rise, other.variant AS name))"
    raising = f"sort_array(filter({rises}, other -> other.rise > 0), false)"
    return users.withColumn(
        "reasons", functions.expr(f"transform(slice({raising}, 1, {REASONS}), other -> other.name)")
    )


def ranked(users: DataFrame, calibration: dict, plan: dict) -> DataFrame:
    """The rows of the table: probability, rank and decile, and who is never to be contacted."""
    log_odds = calibration["slope"] * functions.col("raw_score") + calibration["intercept"]
    order = Window.orderBy(functions.desc("raw_score"), functions.xxhash64("user_id"), "user_id")
    settings = plan["scoring"]
    salted = functions.concat(functions.lit(settings["controlGroupSalt"]), functions.lit(":"), "user_id")
    control_below = settings["controlGroupShare"] * HASH_VALUES
    first_bytes = functions.conv(functions.substring(functions.sha2(salted, 256), 1, 8), 16, 10)
    return (
        users.withColumn("run_id", functions.lit(plan["runId"]))
        .withColumn("probability", 1 / (1 + functions.exp(-log_odds)))
        .withColumn("rank", functions.row_number().over(order).cast("bigint"))
        .withColumn("decile", functions.ntile(10).over(order))
        .withColumn("level", functions.expr("CASE is_paid WHEN 1 THEN 'paid' WHEN 0 THEN 'free' END"))
        .withColumn("in_control_group", first_bytes.cast("bigint") < control_below)
        .select(*COLUMNS)
    )


def top_users(scores: DataFrame) -> list[dict]:
    """The users most at risk."""
    return [
        {
            "userId": row.user_id,
            "probability": row.probability,
            "level": row.level,
            "inControlGroup": row.in_control_group,
            "reasons": row.reasons,
        }
        for row in scores.where(scores["rank"] <= TOP_USERS).orderBy("rank").collect()
    ]


def run(spark: SparkSession, plan: dict) -> dict:
    """Scores, writes this run's partition, and counts what was written."""
    description, model = load(Files(spark), plan["outputs"]["model"])
    inputs, test_scores = description["inputs"], description["testScores"]
    names = [feature["name"] for feature in inputs]
    features = read_snapshot(spark, FEATURES, current_snapshot(spark, FEATURES))
    spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    variants = with_variants(living_users(features, inputs), inputs)
    scored = with_raw_score(description["kind"], model, variants)
    scores = ranked(with_reasons(scored), description["calibration"], plan)
    spark.sql(SCORES_DEFINITION)
    scores.writeTo(SCORES).overwrite(functions.col("run_id") == plan["runId"])
    expire_snapshots(spark, plan, [SCORES], SNAPSHOT_RETENTION_DAYS)

    snapshot = current_snapshot(spark, SCORES)
    written = read_snapshot(spark, SCORES, snapshot).where(functions.col("run_id") == plan["runId"]).cache()
    # A sum of decimals does not depend on the order of its parts.
    expected = functions.sum(functions.col("probability").cast("decimal(20,12)")).cast("double")
    totals = written.agg(
        functions.count(functions.lit(1)).alias("users"),
        functions.max("cutoff").alias("cutoff"),
        expected.alias("expected_cancellations"),
        reaching(test_scores["starts"]).alias("reached"),
    ).first()
    return {
        "users": totals.users,
        "cutoff": str(totals.cutoff),
        "expectedCancellations": totals.expected_cancellations,
        "top": top_users(written),
        "drift": {
            "features": feature_drift(features, names, sum(test_scores["rows"])),
            "score": score_drift(test_scores, totals.users, totals.reached),
        },
        "snapshots": {"scores": snapshot},
    }


if __name__ == "__main__":
    main()
