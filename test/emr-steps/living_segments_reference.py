"""The living users by segment, by the generated score-users.py and by numpy, with an earlier snapshot of the table.

python living_segments_reference.py <score-users.py>  Prints one JSON document.
"""

import collections
import datetime
import json
import sys

import numpy
import pandas
from evaluation_reference import load
from pyspark.sql import SparkSession, functions
from reasons_reference import rows_of_users, segment_model

TABLE = "lake.churn.scoring_features"
BEFORE, NOW = datetime.date(2018, 11, 26), datetime.date(2018, 12, 1)


def segments_of(model: dict, frame: pandas.DataFrame) -> numpy.ndarray:
    """The most probable segment of each user."""
    sizes, rates = numpy.array(model["mixture"]["sizes"]), numpy.array(model["mixture"]["rates"])
    counts, exposures = frame[model["counts"]].to_numpy(), frame[model["exposures"]].to_numpy()
    return (counts @ numpy.log(rates).T - exposures @ rates.T + numpy.log(sizes)).argmax(axis=1)


def store(spark: SparkSession, frame: pandas.DataFrame, cutoff: datetime.date) -> None:
    """Replaces the table, as BuildFeatures does."""
    rows = spark.createDataFrame(frame).withColumn("cutoff", functions.lit(cutoff))
    rows.writeTo(TABLE).using("iceberg").createOrReplace()


def main() -> None:
    """Prints what the step says and what is expected: before there is an earlier snapshot, and then."""
    step = load(sys.argv[1])
    model = segment_model(step)
    spark = SparkSession.builder.getOrCreate()
    earlier = rows_of_users(step)
    # Of those who live now, ten have joined; others have left; some have done something else since.
    now = earlier.iloc[20:].copy()
    now.loc[:, model["counts"]] = now[model["counts"]].to_numpy()[numpy.random.default_rng(1).permutation(len(now))]
    joined = earlier.iloc[:10].assign(user_id=[f"new {number}" for number in range(10)])
    now = pandas.concat([now, joined], ignore_index=True)
    chance = numpy.round(numpy.random.default_rng(2).random(len(now)) / 10, 6)

    def answer(probability: list) -> dict:
        store(spark, now, NOW)
        living = spark.table(TABLE)
        known = [(user, NOW, p) for user, p in zip(now["user_id"], probability, strict=True)]
        scores = spark.createDataFrame(known, "user_id string, cutoff date, probability double")
        return step.living_segments(spark, living, scores, TABLE, model)

    alone = answer([None] * len(now))
    store(spark, earlier, BEFORE)
    # Of the same cutoff twice: a run that was repeated.
    answer(chance.tolist())
    both = answer(chance.tolist())
    mine = segments_of(model, now)
    then = dict(zip(earlier["user_id"], segments_of(model, earlier).tolist(), strict=True))
    moves = collections.Counter((then[user], place) for user, place in zip(now["user_id"], mine.tolist(), strict=True) if user in then)
    print(
        json.dumps(
            {
                "alone": alone,
                "both": both,
                "users": [int((mine == place).sum()) for place in range(3)],
                "expected": [float(chance[mine == place].sum()) for place in range(3)],
                "moves": [{"before": before, "now": place, "users": users} for (before, place), users in sorted(moves.items())],
            },
            allow_nan=False,
        )
    )


if __name__ == "__main__":
    main()
