/**
 * ScoreUsers: the stored model applied to every living user at observationEnd, and how far these users are from
 * those on whom it was tested.
 * Replaces the partition of this run in the table `scores`, so that a second try ends with the same rows.
 */
import { SCORING_FEATURES_TABLE } from '../domain/features/features-table.ts';
import { SCORES, USER_DAYS } from '../domain/lake.ts';
import { PROBABILITY_BINS, REASONED_USERS, TOP_USERS } from '../domain/models.ts';
import { valueSql } from '../domain/money.ts';
import { scoringResultSchema } from '../domain/results.ts';
import { python } from './composition/python.ts';
import { campaign } from './fragments/campaign.ts';
import { scoring } from './fragments/candidates.ts';
import { expiredScores } from './fragments/expired-scores.ts';
import { files } from './fragments/files.ts';
import { livingSegments } from './fragments/living-segments.ts';
import { columnTypes, missingColumns } from './fragments/missing-columns.ts';
import { calibrationType, modelDescription } from './fragments/model-description.ts';
import { featureType, inputVector } from './fragments/model-inputs.ts';
import { loading } from './fragments/model-storage.ts';
import { outcomes } from './fragments/outcomes.ts';
import { reasons } from './fragments/reasons.ts';
import { snapshotExpiry, snapshotReading } from './fragments/snapshots.ts';
import { sqlText } from './fragments/sql.ts';
import { drift } from './fragments/stability-index.ts';
import { stepError } from './fragments/step-error.ts';
import { tableName } from './fragments/table-name.ts';
import { createTable } from './fragments/tables.ts';
import { choiceTypes, featuresTypes, planTypes, scoringTypes } from './fragments/types.ts';
import { typicalValues } from './fragments/typical-values.ts';
import { defineStep } from './step.ts';

const CONTACT_VALUE = valueSql('probability', {
  customerValue: '{customerValue}',
  offerCost: '{offerCost}',
  contactCost: '{contactCost}',
  acceptance: '{acceptance}',
});

export const scoreUsers = defineStep({
  name: 'score-users',
  summary: 'Scores every living user, says what raises the score of those most at risk, and measures drift.',
  result: scoringResultSchema,
  uses: [
    ...[planTypes, featuresTypes, choiceTypes, scoringTypes, tableName, stepError, files],
    ...[snapshotReading, snapshotExpiry, featureType, inputVector, calibrationType],
    ...[modelDescription, scoring, loading, drift, missingColumns, typicalValues, reasons, campaign],
    ...[livingSegments, outcomes, expiredScores],
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
    USER_DAYS = ${USER_DAYS.name}
    SCORES_DEFINITION = ${createTable(SCORES)}
    COLUMNS = ${SCORES.columns.map((column) => column.name)}
    REASON_COLUMNS = ["reasons", "reason_details"]
    SCORES_TYPES = ${columnTypes(SCORES)}
    TOP_USERS = ${TOP_USERS}
    PROBABILITY_BINS = ${PROBABILITY_BINS}
    HASH_VALUES = 2**32
    LEAST_RATE = 1e-6
    LEAST_REASONED = ${REASONED_USERS.least}
    REASONED_SHARE = ${REASONED_USERS.share}
    # What contacting a user is worth; those of whom it is not negative are the list.
    VALUE = ${sqlText(CONTACT_VALUE)}
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


    def by_base_rate(living: DataFrame) -> DataFrame:
        """One row a user, all with the same score: nobody ranks before another."""
        return living.select(
            "user_id",
            "cutoff",
            F.col("is_paid").alias("level_is_paid"),
            F.lit(0.0).alias("raw_score"),
        )


    def living_users(living: DataFrame, inputs: list[ModelInput], segments: SegmentModel | None) -> DataFrame:
        """The rows to score, with what the model must know of them."""
        missing = [feature["name"] for feature in inputs if feature["name"] not in living.columns]
        if missing:
            raise StepError(
                f"the model needs features that the table does not have: {', '.join(missing)}",
                "the feature catalogue changed after the model was trained",
                "run the pipeline from build-features",
            )
        values = [F.expr(value) for value in [*(feature["name"] for feature in inputs), *channel_rates(segments)]]
        return living.select(
            "user_id",
            "cutoff",
            F.col("is_paid").alias("level_is_paid"),
            F.expr(LEVEL).alias("level"),
            *segment_source(),
            input_array(inputs).alias("inputs"),
            F.array(*values).alias("values"),
        )


    def ranked(users: DataFrame, calibration: Calibration, plan: Plan, choice: Choice) -> DataFrame:
        """The rows of the table but for the reasons: probability, rank and decile, who is to be contacted, and who never is.

        Without a model in charge nobody ranks before another; withheld probabilities are missing.
        """
        log_odds = calibration["slope"] * F.col("raw_score") + calibration["intercept"]
        is_ranked, is_believed = F.lit(choice["list"] != "no"), F.lit(choice["list"] != "order only")
        has_list = F.lit(choice["list"] == "yes" and choice["makesCurrent"])
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
            .withColumn("horizon_end", F.date_add("cutoff", plan["training"]["horizonDays"]))
            .withColumn("worth_contacting", F.when(has_list, F.expr(contact_value(settings["terms"])) >= 0))
            .select(*(name for name in COLUMNS if name not in REASON_COLUMNS))
            .cache()
        )


    def sql_number(value: float) -> str:
        """A literal of Spark SQL."""
        return f"{float(value)!r}D"


    def contact_value(terms: Terms) -> str:
        """What contacting a user is worth, in SQL."""
        return VALUE.format(
            customerValue=sql_number(terms["customerValue"]),
            offerCost=sql_number(terms["offerCost"]),
            contactCost=sql_number(terms["contactCost"]),
            acceptance=sql_number(terms["acceptance"]),
        )


    def without_reasons(scores: DataFrame) -> DataFrame:
        """Scores with reasons for nobody: all users have the same."""
        nothing = F.array().cast("array<string>")
        return scores.withColumn("reasons", nothing).withColumn("reason_details", F.lit("[]"))


    def with_reasons(
        scores: DataFrame,
        users: DataFrame,
        charge: tuple[ModelDescription, CandidateModel | None],
        typical: Typical,
        chosen: Column,
    ) -> DataFrame:
        """Scores with the reasons of the chosen users: only these are scored again.

        A model that gives all users the same score has reasons for nobody.
        """
        description, model = charge
        if description["kind"] == "base_rate":
            return without_reasons(scores)
        asked = scores.where(chosen).select("user_id", F.col("raw_score").alias("own_score"))
        found = reasons_of(users.join(asked, "user_id"), description, model, typical)
        nothing = F.array().cast("array<string>")
        return scores.join(found, "user_id", "left").withColumns(
            {
                "reasons": F.when(chosen, F.coalesce("reasons", nothing)),
                "reason_details": F.when(chosen, F.coalesce("reason_details", F.lit("[]"))),
            }
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
        living = read_snapshot(spark, features_table, built["snapshots"]["scoring_features"])
        spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
        # Without a model in charge there are no scores to compare.
        test_scores: ScoreBins = {"starts": [], "rows": [0]}
        typical: Typical | None = None
        segments: SegmentModel | None = None
        if scorer is None:
            ranks = ranked(by_base_rate(living), flat(choice["baseRate"]), plan, choice)
            scores = without_reasons(ranks)
            names = list(compared.inputs) if compared else []
            kind = "base_rate"
        else:
            description, model = load(files, scorer["modelUri"])
            inputs, segments = description["inputs"], description.get("segments")
            names = [feature["name"] for feature in inputs]
            users = living_users(living, inputs, segments)
            number = sum(cutoff["rows"] for cutoff in built["cutoffs"] if cutoff["role"] == "score")
            typical = typical_values(living, inputs, segments, number)
            as_they_are = users.withColumn("features", array_to_vector(F.col("inputs")))
            scored = with_raw_score(description["kind"], model, as_they_are, segments, names)
            ranks = ranked(scored, description["calibration"], plan, choice)
            # The list, or so many of those most at risk, whichever is more.
            most = max(LEAST_REASONED, math.ceil(REASONED_SHARE * number))
            listed = F.coalesce(F.expr(contact_value(plan["scoring"]["terms"])) >= 0, F.lit(False))
            chosen = (F.col("rank") <= most) | listed
            scores = with_reasons(ranks, users, (description, model), typical, chosen)
            kind = description["kind"]
            test_scores = {**(scorer["testScores"] or description["testScores"])}
        scores = scores.select(*COLUMNS)
        spark.sql(SCORES_DEFINITION.format(table=scores_table))
        add_missing_columns(spark, scores_table, SCORES_TYPES)
        scores.writeTo(scores_table).overwrite(F.col("run_id") == plan["runId"])
        drop_expired_scores(spark, plan, scores_table)
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
        value = contact_value(plan["scoring"]["terms"])
        user_days = read_snapshot(spark, table_name(plan, USER_DAYS), built["snapshots"]["user_days"])
        return {
            "users": totals.users,
            "cutoff": str(totals.cutoff),
            # Where probabilities are withheld, as many as at the newest test cutoff.
            "expectedCancellations": (
                totals.expected_cancellations if is_believed else totals.users * choice["baseRate"]
            ),
            # By the base rate alone all users are equal, and who is first would be an accident of hashing.
            "top": [] if kind == "base_rate" else top_users(written),
            "typical": described_typical(typical) if typical else [],
            "probabilities": probability_bins(written),
            "segments": living_segments(spark, living, written, features_table, segments) if segments else None,
            "campaign": write_campaign(files, plan, choice, written, value),
            "outcomes": count_outcomes(spark, files, plan, scores_table, user_days, built["observationEnd"]),
            "drift": measured_drift(living, names, compared, score),
            "snapshots": {"scores": snapshot},
        }
  `,
});
