"""Shuffles a few rows between the executors and prints how many executors there are."""

import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext
deadline = time.time() + 60
executors = int(spark.conf.get("spark.executor.instances"))
# The driver is in this list too.
while context._jsc.sc().getExecutorMemoryStatus().size() < executors + 1 and time.time() < deadline:
    time.sleep(0.5)

rows = spark.range(100_000, numPartitions=8).selectExpr("id % 7 AS key").groupBy("key").count()
print("rows:", sum(row["count"] for row in rows.collect()))
print("executors:", context._jsc.sc().getExecutorMemoryStatus().size() - 1)
spark.stop()
