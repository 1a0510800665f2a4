/**
 * TrainModels: features -> candidates, judged on the newest cutoff whose outcome is known; the best is stored.
 * Tuning, calibration and thresholds see training cutoffs only, in folds of whole users. With too few cancellations
 * the run still succeeds and says that its figures cannot be trusted.
 */
import { USER_DAYS } from '../domain/lake.ts';
import { CANDIDATES } from '../domain/models.ts';
import { trainingResultSchema } from '../domain/results.ts';
import { python } from './composition/python.ts';
import { calibration } from './fragments/calibration.ts';
import { fitting, scoring } from './fragments/candidates.ts';
import { census } from './fragments/census.ts';
import { champion } from './fragments/champion.ts';
import { decisions } from './fragments/decisions.ts';
import { drivers } from './fragments/drivers.ts';
import { evaluation } from './fragments/evaluation.ts';
import { exploration } from './fragments/exploration.ts';
import { featureRows } from './fragments/feature-rows.ts';
import { figures } from './fragments/figures.ts';
import { files } from './fragments/files.ts';
import { folds } from './fragments/folds.ts';
import { heldOutLosses } from './fragments/held-out-losses.ts';
import { histograms } from './fragments/histograms.ts';
import { homogeneity } from './fragments/homogeneity.ts';
import { importance } from './fragments/importance.ts';
import { barrierTimer } from './fragments/jvm.ts';
import { modelDescription } from './fragments/model-description.ts';
import { inputLearning } from './fragments/model-inputs.ts';
import { storing } from './fragments/model-storage.ts';
import { pastCutoffs } from './fragments/past-cutoffs.ts';
import { retrospective } from './fragments/retrospective.ts';
import { segmentImportance } from './fragments/segment-importance.ts';
import { segmentSample } from './fragments/segment-sample.ts';
import { singleInputs } from './fragments/single-inputs.ts';
import { slices } from './fragments/slices.ts';
import { snapshotReading } from './fragments/snapshots.ts';
import { inputBins, scoreBins } from './fragments/stability-index.ts';
import { tableName } from './fragments/table-name.ts';
import { featuresTypes, planTypes, trainingTypes } from './fragments/types.ts';
import { defineStep } from './step.ts';

export const trainModels = defineStep({
  name: 'train-models',
  summary: 'Trains the candidates, judges them on the newest known outcomes, and stores the best.',
  result: trainingResultSchema,
  uses: [
    ...[
      planTypes,
      featuresTypes,
      trainingTypes,
      tableName,
      snapshotReading,
      featureRows,
      files,
      barrierTimer,
      census,
      inputLearning,
      folds,
    ],
    ...[
      modelDescription,
      fitting,
      scoring,
      histograms,
      calibration,
      figures,
      decisions,
      evaluation,
      scoreBins,
      inputBins,
      importance,
      storing,
      champion,
      singleInputs,
      pastCutoffs,
    ],
    ...[segmentSample, segmentImportance, heldOutLosses, exploration, slices, drivers],
    ...[homogeneity, retrospective],
  ],
  imports: [
    'import atexit',
    'import datetime',
    'import functools',
    'import math',
    'import platform',
    'import time',
    'from concurrent.futures import ThreadPoolExecutor',
    'from typing import NamedTuple',
    'import numpy as np',
    'import sklearn',
    'import xgboost',
    'from pyspark.sql import DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    USER_DAYS = ${USER_DAYS.name}
    CANDIDATES: list[ModelName] = ${CANDIDATES.map((candidate) => candidate.name)}
    ROWS_PER_TASK = 50_000
    # With fewer users who cancel than this, nothing can be learnt, nor can they be dealt to folds.
    LEAST_CANCELLERS = 4
    TOO_FEW = "too few"
  `,
  run: python`
    class Trained(NamedTuple):
        """A candidate, fitted on all training rows, with its scores and their evaluation."""

        kind: ModelName
        model: CandidateModel | None
        segments: SegmentModel | None
        histograms: dict[str, Histogram]
        evaluation: ModelEvaluation
        losses: HeldOutLosses
        test_scores: DataFrame


    class TrainingRows(NamedTuple):
        """The prepared rows, the names of their inputs, and the segments of their users."""

        rows: DataFrame
        train_rows: int
        names: list[str]
        seen: SegmentRows | None
        segments: SegmentFit | None


    def sampled(scored: DataFrame, sample: str) -> DataFrame:
        """What an evaluation needs of scored rows."""
        return scored.select(F.lit(sample).alias("sample"), "user_id", "fold", "label", "raw_score")


    def fit(
        kind: ModelName,
        segments: SegmentModel | None,
        train: DataFrame,
        given: TrainingRows,
        settings: TrainingSettings,
    ) -> CandidateModel | None:
        """A candidate fitted to some of the rows; none where its segments are all of it."""
        if segments is None:
            return FIT[kind](train, given.train_rows, settings)
        return None if kind == "segments" else fit_segments_and_trees(train, segments, settings)


    def train_candidate(kind: ModelName, given: TrainingRows, settings: TrainingSettings) -> Trained | None:
        """Scores training rows by models that did not see their users, and test rows by a model of all of them.

        None where the candidate cannot be fitted: too few users cancel, and all of a fold get one score.
        """
        rows, names = given.rows, given.names
        told_apart = given.segments if kind not in FIT else None
        if kind not in FIT and told_apart is None:
            return None
        started = time.monotonic()
        train = rows.where("role = 'train'")
        samples = []
        for fold in range(settings["folds"]):
            segments = told_apart.by_fold[fold] if told_apart else None
            others = fit(kind, segments, train.where(F.col("fold") != fold), given, settings)
            held_out = with_raw_score(kind, others, train.where(F.col("fold") == fold), segments, names)
            samples.append(sampled(held_out, "out_of_fold"))
        segments = told_apart.whole if told_apart else None
        model = fit(kind, segments, train, given, settings)
        fit_seconds = time.monotonic() - started
        test_scores = with_raw_score(kind, model, rows.where("role = 'test'"), segments, names)
        samples.append(sampled(test_scores, "test"))
        scored = functools.reduce(DataFrame.union, samples).cache()
        try:
            if is_constant(scored):
                return None
            histograms = score_histograms(scored)
            evaluation = evaluate(kind, "candidate", histograms, settings["seed"], fit_seconds)
            losses = held_out_losses(scored, platt_scaling(histograms["out_of_fold"]))
        finally:
            scored.unpersist()
        return Trained(
            kind, model, segments, histograms, evaluation, losses, test_scores.select(*TEST_SCORE_COLUMNS)
        )


    def train_candidates(given: TrainingRows, settings: TrainingSettings) -> list[Trained]:
        """Trains the candidates side by side: each leaves the cores idle for much of its time."""
        with ThreadPoolExecutor(len(CANDIDATES)) as pool:
            trained = pool.map(lambda kind: train_candidate(kind, given, settings), CANDIDATES)
            return [candidate for candidate in trained if candidate is not None]


    def scored_by_recency(rows: DataFrame) -> DataFrame:
        """Training and test rows scored by the days since the user was last seen, in the direction that ranks."""
        correlation = rows.where("role = 'train'").stat.corr("days_since_last_seen", "label")
        # Rounded: that of unrelated columns is nearly 0, with a sign that comes from the order of summation.
        direction = 1.0 if round(correlation, 9) > 0 else -1.0
        return rows.select(
            F.when(rows.role == "train", "out_of_fold").otherwise("test").alias("sample"),
            "label",
            rounded_score(F.log1p("days_since_last_seen") * direction).alias("raw_score"),
        )


    def judge_baselines(rows: DataFrame, counts: dict[str, Census], seed: int) -> list[ModelEvaluation]:
        """The trivial models that any candidate must beat."""
        by_recency = score_histograms(scored_by_recency(rows))
        return [
            evaluate("base_rate", "baseline", constant_histograms(counts), seed, 0),
            evaluate("days_since_last_seen", "baseline", by_recency, seed, 0),
        ]


    def judge_again(
        kind: ModelName, known: DataFrame, counts: dict[str, Census], settings: TrainingSettings
    ) -> tuple[ModelEvaluation | None, ModelEvaluation]:
        """A kind of candidate and recency on other training and test rows: everything is learnt again from these."""
        train = counts["train"]
        inputs = learn_inputs(known.where("role = 'train'"), train["rows"], settings["excludedFeatures"])
        prepared = prepare(known, inputs, tasks_for(train["rows"]), settings)
        rows = prepared.rows
        by_recency = score_histograms(scored_by_recency(rows))
        recency = evaluate("days_since_last_seen", "baseline", by_recency, settings["seed"], 0)
        candidate = None
        if is_trainable(train):
            trained = train_candidate(kind, given_rows(rows, inputs, train, settings, kind not in FIT), settings)
            candidate = trained.evaluation if trained else None
        prepared.release()
        return candidate, recency


    def given_rows(
        rows: DataFrame,
        inputs: list[ModelInput],
        train: Census,
        settings: TrainingSettings,
        are_told_apart: bool,
    ) -> TrainingRows:
        """Prepared rows with what candidates need of them; segments are fitted only where one needs them."""
        names = [feature["name"] for feature in inputs]
        seen = segment_rows(rows, names, train["users"], train["rows"]) if are_told_apart else None
        segments = fit_segment_models(seen, settings["folds"], settings["seed"]) if seen else None
        return TrainingRows(rows, train["rows"], names, seen, segments)


    def is_trainable(train: Census) -> bool:
        """Whether anything can be learnt from the rows."""
        return train["cancellers"] >= LEAST_CANCELLERS and train["cancellations"] < train["rows"]


    def tasks_for(rows: int) -> int:
        """Tasks among which training rows are dealt."""
        return max(2, math.ceil(rows / ROWS_PER_TASK))


    def reliability_reason(counts: dict[str, Census], least: int) -> str:
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


    def judged_in_retrospect(
        spark: SparkSession, days: DataFrame, end: datetime.date, settings: TrainingSettings
    ) -> Retrospective | None:
        """Models by the retrospective protocol, from the days that the features were made of; None unless asked for."""
        if not settings["retrospective"]:
            return None
        return compare_retrospectively(retrospective_users(spark, days, end), settings["seed"])


    def run(spark: SparkSession, plan: Plan) -> TrainingResult:
        """Trains, judges, chooses and stores."""
        settings = plan["training"]
        if str(spark.sparkContext.master).partition("[")[0] == "local":
            atexit.register(release_barrier_timer, spark)
        files = Files(spark)
        built: FeaturesResult = files.read_json(plan["outputs"]["results"]["build-features"])
        snapshot = built["snapshots"]["features"]
        features = feature_rows(spark, plan, built)
        # Of the users, as the features were made of them.
        days = read_snapshot(spark, table_name(plan, USER_DAYS), built["snapshots"]["user_days"])
        end = datetime.date.fromisoformat(built["observationEnd"])
        counts = census(features)
        train, test = counts["train"], counts["test"]
        tasks = tasks_for(train["rows"])
        spark.conf.set("spark.sql.shuffle.partitions", tasks)
        # Planning each of some hundred small queries again after each of their stages costs more than it finds.
        spark.conf.set("spark.sql.adaptive.enabled", "false")
        inputs = learn_inputs(features.where("role = 'train'"), train["rows"], settings["excludedFeatures"])
        rows = prepare(features, inputs, tasks, settings).rows

        evaluations = judge_baselines(rows, counts, settings["seed"])
        given = given_rows(rows, inputs, train, settings, is_trainable(train))
        candidates = train_candidates(given, settings) if is_trainable(train) else []
        evaluations += [trained.evaluation for trained in candidates]
        chosen = candidates[simplest_of_the_best([one.losses for one in candidates])] if candidates else None
        fitted = {trained.kind for trained in candidates}
        reason = reliability_reason(counts, settings["minCancellations"])
        histograms = chosen.histograms if chosen else constant_histograms(counts)
        kind: ModelName = chosen.kind if chosen else "base_rate"
        description: ModelDescription = {
            "kind": kind,
            "inputs": inputs,
            "calibration": platt_scaling(histograms["out_of_fold"]),
            "scoreThresholds": dict(score_thresholds(histograms["out_of_fold"]).items()),
            "runId": plan["runId"],
            "horizonDays": settings["horizonDays"],
            "testCutoff": str(test["cutoff"]),
            "trainedUntil": str(train["cutoff"] + datetime.timedelta(days=settings["horizonDays"])),
            "featuresSnapshot": snapshot,
            "testScores": score_bins(histograms["test"]),
            "testInputs": input_bins(
                features.where("role = 'test'"), [one["name"] for one in inputs], test["rows"]
            ),
            "libraries": {
                "python": platform.python_version(),
                "spark": spark.version,
                "numpy": np.__version__,
                "scikit-learn": sklearn.__version__,
                "xgboost": xgboost.__version__,
            },
        }
        if chosen and chosen.segments:
            model = chosen.segments
            description["segments"] = model
            columns = dict.fromkeys([*model["counts"], *model["exposures"]])
            description["segmentDefinitions"] = {name: DEFINITIONS[name] for name in columns}
            if chosen.model is None:
                description["inputs"] = [one for one in inputs if one["name"] in model["regression"]["plain"]]
        store(files, plan["outputs"]["model"], description, chosen.model if chosen else None)
        test_rows = features.where("role = 'test'")
        challenger = TestedModel(chosen.test_scores.cache(), description["calibration"]) if chosen else None
        champion = check_champion(
            files, plan, test_rows, test["cutoff"], challenger.scores if challenger else None
        )
        tested: dict[SlicedModel, TestedModel | None] = {"challenger": challenger, "champion": champion.model}
        ranked: list[Importance] = []
        driven: Drivers | None = None
        # Side by side: each leaves the cores idle for much of its time.
        with ThreadPoolExecutor() as pool:
            again = functools.partial(judge_again, kind)
            past = pool.submit(tested_before, features, settings, again) if chosen else None
            in_retrospect = pool.submit(judged_in_retrospect, spark, days, end, settings)
            explored = pool.submit(explore, spark, days, end)
            parts = pool.submit(
                sliced,
                test_rows,
                {name: model for name, model in tested.items() if model is not None},
                given.segments.whole if given.segments else None,
            )
            alike = pool.submit(homogeneity, test_rows, test["rows"])
            alone = pool.submit(single_inputs, features.where("role = 'train'"), inputs, train["users"])
            if chosen and challenger:
                told_apart = chosen.segments
                seen = given.seen
                rises = segment_importance(seen, told_apart, settings["seed"]) if seen and told_apart else {}
                behind = 1 + len(told_apart["mixture"]["sizes"]) if told_apart else 0
                ranked = importance(chosen.model, inputs, rows.where("role = 'train'"), rises, behind)
                folder = plan["outputs"]["model"]
                score = score_function(spark, chosen.model, chosen.segments, given.names, folder)
                driven = what_drives(test_rows, test["rows"], challenger, score, inputs, ranked, settings["seed"])
        return {
            "trainRows": train["rows"],
            "trainCancellations": train["cancellations"],
            "testRows": test["rows"],
            "testCancellations": test["cancellations"],
            "testCutoff": str(test["cutoff"]),
            "evaluations": evaluations,
            "chosen": kind,
            "reliable": reason == "",
            "reliabilityReason": reason,
            "importance": ranked,
            "modelUri": plan["outputs"]["model"],
            "featuresSnapshot": snapshot,
            "champion": champion.test,
            "notFitted": [{"model": kind, "reason": TOO_FEW} for kind in CANDIDATES if kind not in fitted],
            "segments": described_segments(given.segments.whole) if given.segments else [],
            "singleInputs": alone.result(),
            "past": past.result() if past else [],
            "exploration": explored.result(),
            "slices": parts.result(),
            "drivers": driven,
            "homogeneity": alike.result(),
            "retrospective": in_retrospect.result(),
        }
  `,
});
