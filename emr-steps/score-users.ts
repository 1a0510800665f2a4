/**
 * ScoreUsers: the stored model applied to every living user at observationEnd, and how far these users are from
 * those on whom it was tested.
 * Replaces the partition of this run in the table `scores`, so that a second try ends with the same rows.
 */
import { CHANNELS } from '../domain/features/channels.ts';
import { SCORING_FEATURES_TABLE } from '../domain/features/features-table.ts';
import { SCORES } from '../domain/lake.ts';
import { PROBABILITY_BINS, TOP_USERS } from '../domain/models.ts';
import { scoringResultSchema } from '../domain/results.ts';
import { python } from './composition/python.ts';
import { scoring } from './fragments/candidates.ts';
import { files } from './fragments/files.ts';
import { calibrationType, modelDescription } from './fragments/model-description.ts';
import { featureType, inputVector } from './fragments/model-inputs.ts';
import { loading } from './fragments/model-storage.ts';
import { snapshotExpiry, snapshotReading } from './fragments/snapshots.ts';
import { drift } from './fragments/stability-index.ts';
import { stepError } from './fragments/step-error.ts';
import { tableName } from './fragments/table-name.ts';
import { createTable } from './fragments/tables.ts';
import { choiceTypes, featuresTypes, planTypes, scoringTypes } from './fragments/types.ts';
import { defineStep } from './step.ts';

export const scoreUsers = defineStep({
  name: 'score-users',
  summary: 'Scores every living user, says which groups of features raise the score, and measures drift.',
  result: scoringResultSchema,
  uses: [
    ...[planTypes, featuresTypes, choiceTypes, scoringTypes, tableName, stepError, files],
    ...[snapshotReading, snapshotExpiry, featureType, inputVector, calibrationType],
    ...[modelDescription, scoring, loading, drift],
  ],
  imports: [
    'import math',
    'from typing import NamedTuple',
    'from pyspark.ml.functions import array_to_vector',
    'from pyspark.sql import Column, DataFrame, SparkSession, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    SCORING_FEATURES = ${SCORING_FEATURES_TABLE.name}
    SCORES = ${SCORES.name}
    SCORES_DEFINITION = ${createTable(SCORES)}
    COLUMNS = ${SCORES.columns.map((column) => column.name)}
    # The name under which a row is scored as it is, beside the groups of features.
    AS_IT_IS = ""
    REASONS = 3
    TOP_USERS = ${TOP_USERS}
    PROBABILITY_BINS = ${PROBABILITY_BINS}
    HASH_VALUES = 2**32
    LEAST_RATE = 1e-6
    CHANNEL_GROUPS = ${CHANNELS.map(({ group }) => group)}
  `,
  run: python`
    class Compared(NamedTuple):
        """The test users that the scored users are compared with: tenths by each input, and how many they were."""

        inputs: dict[str, InputBins]
        users: int
        test_cutoff: str


    def compared_with(files: Files, choice: Choice) -> Compared | None:
        """The test users of the model that was trained last or scores; none where there is no such model."""
        if choice["comparedWith"] is None:
            return None
        description = describe(files, choice["comparedWith"])
        users = sum(description["testScores"]["rows"])
        return Compared(description.get("testInputs", {}), users, description["testCutoff"])


    def flat(rate: float) -> Calibration:
        """The same probability whatever the score; finite even where nobody or everybody cancels."""
        bounded = min(max(rate, LEAST_RATE), 1 - LEAST_RATE)
        return {"slope": 0.0, "intercept": math.log(bounded / (1 - bounded))}


    def by_base_rate(features: DataFrame) -> DataFrame:
        """One row a user, all with the same score and no reasons: nobody ranks before another."""
        return features.select(
            "user_id",
            "cutoff",
            F.col("is_paid").alias("level_is_paid"),
            F.lit(0.0).alias("raw_score"),
            F.array().cast("array<string>").alias("reasons"),
        )


    def living_users(features: DataFrame, inputs: list[ModelInput]) -> DataFrame:
        """The rows to score, with what the model must know of them."""
        missing = [feature["name"] for feature in inputs if feature["name"] not in features.columns]
        if missing:
            raise StepError(
                f"the model needs features that the table does not have: {', '.join(missing)}",
                "the feature catalogue changed after the model was trained",
                "run the pipeline from build-features",
            )
        return features.select(
            "user_id",
            "cutoff",
            F.col("is_paid").alias("level_is_paid"),
            *segment_source(),
            input_array(inputs).alias("inputs"),
        )


    def with_variants(users: DataFrame, inputs: list[ModelInput], segments: SegmentModel | None) -> DataFrame:
        """Each row as it is, and once more for each group with the group's inputs at their training medians.

        Counts of the group's channels are then what is usual for their exposure, and segments are computed from these.
        """
        channels: list[tuple[str, str, float, str]] = []
        if segments is not None:
            columns = segments["counts"], segments["exposures"], segments["usualRates"]
            channels = list(zip(*columns, CHANNEL_GROUPS, strict=True))
        every = [feature["group"] for feature in inputs] + [group for *_, group in channels]
        groups = list(dict.fromkeys(every))
        group_of = F.lit([feature["group"] for feature in inputs])
        medians = F.lit(
            [
                math.log1p(feature["median"]) if feature["scale"] == "log1p" else feature["median"]
                for feature in inputs
            ]
        )
        variants = users.withColumn("variant", F.explode(F.lit([AS_IT_IS, *groups])))

        for count, exposure, rate, group in channels:
            typical = F.when(F.col("variant") == group, F.col(exposure) * rate)
            variants = variants.withColumn(count, typical.otherwise(F.col(count)))

        def replaced(value: Column, index: Column) -> Column:
            return F.when(group_of[index] == F.col("variant"), medians[index]).otherwise(value)

        return variants.withColumn("features", array_to_vector(F.transform("inputs", replaced)))


    def with_reasons(scored: DataFrame) -> DataFrame:
        """One row a user: the score, and the groups without which it would be lower, strongest first."""
        as_it_is = F.col("variant") == AS_IT_IS
        score = F.max(F.when(as_it_is, F.col("raw_score")))
        others = F.collect_list(F.when(~as_it_is, F.struct("raw_score", "variant")))
        users = scored.groupBy("user_id", "cutoff", "level_is_paid").agg(
            score.alias("raw_score"), others.alias("others")
        )
        rises = "transform(others, other -> struct(raw_score - other.raw_score AS rise, other.variant AS name))"
        raising = f"sort_array(filter({rises}, other -> other.rise > 0), false)"
        return users.withColumn(
            "reasons", F.expr(f"transform(slice({raising}, 1, {REASONS}), other -> other.name)")
        )


    def ranked(users: DataFrame, calibration: Calibration, plan: Plan, choice: Choice) -> DataFrame:
        """The rows of the table: probability, rank and decile, and who is never to be contacted.

        Without a model in charge nobody ranks before another; withheld probabilities are missing.
        """
        log_odds = calibration["slope"] * F.col("raw_score") + calibration["intercept"]
        is_ranked, is_believed = F.lit(choice["list"] != "no"), F.lit(choice["list"] != "order only")
        order = Window.orderBy(F.desc("raw_score"), F.xxhash64("user_id"), "user_id")
        settings = plan["scoring"]
        salted = F.concat(F.lit(settings["controlGroupSalt"]), F.lit(":"), "user_id")
        control_below = settings["controlGroupShare"] * HASH_VALUES
        first_bytes = F.conv(F.substring(F.sha2(salted, 256), 1, 8), 16, 10)
        return (
            users.withColumn("run_id", F.lit(plan["runId"]))
            .withColumn("probability", F.when(is_believed, 1 / (1 + F.exp(-log_odds))))
            .withColumn("rank", F.when(is_ranked, F.row_number().over(order).cast("bigint")))
            .withColumn("decile", F.when(is_ranked, F.ntile(10).over(order)))
            .withColumn("level", F.expr("CASE level_is_paid WHEN 1 THEN 'paid' WHEN 0 THEN 'free' END"))
            .withColumn("in_control_group", first_bytes.cast("bigint") < control_below)
            .select(*COLUMNS)
        )


    def top_users(scores: DataFrame) -> list[TopUser]:
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


    def probability_bins(scores: DataFrame) -> list[ProbabilityBin]:
        """Users by probability, so that the worth of a list can be computed for any cost of contacting."""
        scores = scores.where(F.col("probability").isNotNull())
        own = F.floor(F.col("probability") * PROBABILITY_BINS).cast("int")
        control = F.when(F.col("in_control_group"), 1).otherwise(0)
        # A sum of decimals does not depend on the order of its parts.
        part = F.when(~F.col("in_control_group"), F.col("probability").cast("decimal(20,12)")).otherwise(F.lit(0))
        bins = (
            scores.withColumn("bin", F.least(own, F.lit(PROBABILITY_BINS - 1)))
            .groupBy("bin")
            .agg(
                F.count(F.lit(1)).alias("users"),
                F.sum(control).alias("control"),
                F.sum(part).cast("double").alias("expected"),
            )
        )
        return [
            {
                "bin": row.bin,
                "users": row.users - row.control,
                "expected": row.expected,
                "control": row.control,
            }
            for row in bins.orderBy("bin").collect()
        ]


    def measured_drift(features: DataFrame, names: list[str], compared: Compared | None, score: float) -> Drift:
        """How far the scored users are from the test users; of nobody's model there is none."""
        if compared is None:
            return {"features": [], "score": score, "comparedWith": None}
        return {
            "features": feature_drift(features, names, compared.inputs, compared.users),
            "score": score,
            "comparedWith": {"testCutoff": compared.test_cutoff, "users": compared.users},
        }


    def run(spark: SparkSession, plan: Plan) -> ScoringResult:
        """Scores, writes this run's partition, and counts what was written."""
        files = Files(spark)
        choice: Choice = files.read_json(plan["outputs"]["choice"])
        scorer, compared = choice["scorer"], compared_with(files, choice)
        features_table, scores_table = table_name(plan, SCORING_FEATURES), table_name(plan, SCORES)
        built: FeaturesResult = files.read_json(plan["outputs"]["results"]["build-features"])
        features = read_snapshot(spark, features_table, built["snapshots"]["scoring_features"])
        spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
        # Without a model in charge there are no scores to compare.
        test_scores: ScoreBins = {"starts": [], "rows": [0]}
        if scorer is None:
            users, calibration = by_base_rate(features), flat(choice["baseRate"])
            names = list(compared.inputs) if compared else []
            kind = "base_rate"
        else:
            description, model = load(files, scorer["modelUri"])
            inputs, segments = description["inputs"], description.get("segments")
            names = [feature["name"] for feature in inputs]
            variants = with_variants(living_users(features, inputs), inputs, segments)
            users = with_reasons(with_raw_score(description["kind"], model, variants, segments, names))
            kind, calibration = description["kind"], description["calibration"]
            test_scores = {**(scorer["testScores"] or description["testScores"])}
        scores = ranked(users, calibration, plan, choice)
        spark.sql(SCORES_DEFINITION.format(table=scores_table))
        scores.writeTo(scores_table).overwrite(F.col("run_id") == plan["runId"])
        expire_snapshots(spark, plan, [SCORES], SNAPSHOT_RETENTION_DAYS)

        snapshot = current_snapshot(spark, scores_table)
        written = read_snapshot(spark, scores_table, snapshot).where(F.col("run_id") == plan["runId"]).cache()
        # A sum of decimals does not depend on the order of its parts.
        expected = F.sum(F.col("probability").cast("decimal(20,12)")).cast("double")
        (totals,) = written.agg(
            F.count(F.lit(1)).alias("users"),
            F.max("cutoff").alias("cutoff"),
            expected.alias("expected_cancellations"),
            reaching(test_scores["starts"]).alias("reached"),
        ).collect()
        score = score_drift(test_scores, totals.users, totals.reached)
        is_believed = choice["list"] != "order only"
        return {
            "users": totals.users,
            "cutoff": str(totals.cutoff),
            # Where probabilities are withheld, as many as at the newest test cutoff.
            "expectedCancellations": (
                totals.expected_cancellations if is_believed else totals.users * choice["baseRate"]
            ),
            # By the base rate alone all users are equal, and who is first would be an accident of hashing.
            "top": [] if kind == "base_rate" else top_users(written),
            "probabilities": probability_bins(written),
            "drift": measured_drift(features, names, compared, score),
            "snapshots": {"scores": snapshot},
        }
  `,
});
