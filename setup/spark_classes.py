"""Does on a small scale what the steps do, so that Java has loaded their classes when it archives them at exit.

Run by setup/spark-classes.mjs; the argument is a folder for everything that is written.
"""

import sys

import pandas as pd
from pyspark.ml.classification import LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.ml.stat import Summarizer
from pyspark.sql import DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as F

CATALOG = "spark.sql.catalog.archive"
EVENTS = "archive.small.events"
DAYS = "archive.small.days"
CREATE_EVENTS = """
CREATE TABLE archive.small.events (day date, user string, ts bigint, page string, length double)
USING iceberg PARTITIONED BY (day) TBLPROPERTIES ('write.distribution-mode' = 'none')
"""
CREATE_DAYS = """
CREATE TABLE archive.small.days (day date, user string, events bigint, seconds double, sketch binary)
USING iceberg PARTITIONED BY (day) TBLPROPERTIES ('write.distribution-mode' = 'none')
"""
ROLL_UP = """
SELECT day, user, COUNT(*) AS events, ROUND(SUM(length), 3) AS seconds, HLL_SKETCH_AGG(page, 6) AS sketch
FROM archive.small.events
WHERE page IN ('Home', 'NextSong')
GROUP BY day, user
"""
HISTORY = """
SELECT
  user,
  cutoff,
  SUM(events) AS events,
  HLL_SKETCH_ESTIMATE(HLL_UNION_AGG(sketch)) AS pages,
  PERCENTILE_APPROX(seconds, 0.5) AS half,
  MAX(STRUCT(day, seconds)).seconds AS seconds
FROM archive.small.days
JOIN (SELECT EXPLODE(SEQUENCE(DATE'2018-10-02', DATE'2018-10-05')) AS cutoff) ON day < cutoff
GROUP BY user, cutoff
"""
SCHEMA = "user string, ts bigint, page string, length double, unreadable string"
LINES = 400


def start(folder: str) -> SparkSession:
    """Starts a session with Iceberg tables below the folder."""
    settings = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        CATALOG: "org.apache.iceberg.spark.SparkCatalog",
        f"{CATALOG}.type": "hadoop",
        f"{CATALOG}.warehouse": f"{folder}/warehouse",
        "spark.local.dir": folder,
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def write_log(spark: SparkSession, folder: str) -> str:
    """Writes a log of JSON lines; returns its path."""
    rows = spark.range(LINES).selectExpr(
        "CAST(id % 40 AS STRING) AS user",
        "1538352000000 + id * 1000000 AS ts",
        "IF(id % 3 = 0, 'Home', 'NextSong') AS page",
        "RAND(1) AS length",
    )
    log = f"{folder}/log"
    rows.select(F.to_json(F.struct("*")).alias("value")).write.text(log)
    return log


def ingest(spark: SparkSession, log: str) -> None:
    """Parses, shuffles, sorts, looks for duplicates and publishes through a branch."""
    spark.sql(CREATE_EVENTS)
    spark.sql(f"ALTER TABLE {EVENTS} CREATE OR REPLACE BRANCH staging")
    outcomes = Observation("outcomes")
    lines = spark.read.text(log).where("value RLIKE '\\\\S'")
    string_class = spark._jvm.java.lang.Class.forName("java.lang.String")
    text = getattr(lines._jdf, "as")(spark._jvm.org.apache.spark.sql.Encoders.bean(string_class))
    reader = spark.read.schema(SCHEMA).option("columnNameOfCorruptRecord", "unreadable")
    files = F.from_json(F.lit('[{"name": ""}]'), "ARRAY<STRUCT<name: STRING>>")
    parsed = (
        DataFrame(reader._jreader.json(text), spark)
        .select(F.struct("*").alias("fields"), F.input_file_name().alias("name"))
        .join(F.broadcast(spark.sql("SELECT 1").select(F.inline(files))), "name", "left")
        .observe(outcomes, F.to_json(F.expr("HISTOGRAM_NUMERIC(fields.ts % 7, 7)")).alias("read"))
        .selectExpr("DATE(TIMESTAMP_MILLIS(fields.ts)) AS day", "fields.*")
        .drop("unreadable")
    )
    ordered = parsed.repartition(2, "day").sortWithinPartitions("user", "ts")
    ordered.writeTo(f"{EVENTS}.branch_staging").option("fanout-enabled", "true").append()
    staged = spark.table(f"{EVENTS}.branch_staging").groupBy("day")
    staged.agg(F.count("*"), F.countDistinct(F.xxhash64("user", "ts", "page"))).collect()
    spark.sql("CALL archive.system.fast_forward('small.events', 'main', 'staging')").collect()
    spark.table(f"{EVENTS}.partitions").collect()
    table = spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, EVENTS)
    list(table.currentSnapshot().addedDataFiles(table.io()))
    table.expireSnapshots().expireOlderThan(0).commit()


def roll_up(spark: SparkSession) -> None:
    """Makes the days of users, with a sketch, and their history at cutoffs."""
    spark.sql(CREATE_DAYS)
    days = spark.sql(ROLL_UP).repartition("day").sortWithinPartitions("day", "user")
    days.writeTo(DAYS).overwrite(F.lit(True))
    history = spark.sql(HISTORY).writeTo("archive.small.features")
    history.using("iceberg").partitionedBy(F.col("cutoff")).createOrReplace()


def unchanged(parts):
    """Passes rows through Python, as boosting does."""
    yield from (pd.DataFrame(part) for part in parts)


def train(features: DataFrame, folder: str) -> None:
    """Fits and stores a model, and ranks rows by its score."""
    labelled = features.withColumn("label", F.expr("CAST(PMOD(HASH(user), 2) AS DOUBLE)")).na.fill(0)
    inputs = VectorAssembler(inputCols=["events", "pages", "half"], outputCol="features")
    rows = inputs.transform(labelled).repartition(1, "user").sortWithinPartitions("user").persist()
    rows.select(Summarizer.std(rows.features)).collect()
    forest = RandomForestClassifier(numTrees=3, maxDepth=2, seed=1).fit(rows)
    model = LogisticRegression(regParam=0.1, maxIter=5).fit(rows)
    model.write().overwrite().save(f"{folder}/model")
    for fitted in (forest, model):
        scored = fitted.transform(rows).withColumn("score", vector_to_array("probability")[1])
        ranked = scored.withColumn("rank", F.row_number().over(Window.orderBy(F.desc("score"), "user")))
        ranked.groupBy("cutoff").agg(F.sum("score"), F.max("rank"), F.collect_list("user")).collect()
    rows.select("user", "events").mapInPandas(unchanged, "user string, events bigint").count()


def main() -> None:
    """Runs everything once."""
    folder = sys.argv[1]
    spark = start(folder)
    ingest(spark, write_log(spark, folder))
    roll_up(spark)
    train(spark.table("archive.small.features"), folder)
    spark.stop()


if __name__ == "__main__":
    main()
