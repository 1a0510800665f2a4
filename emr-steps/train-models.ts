/**
 * TrainModels: features -> candidates, judged on the newest cutoff whose outcome is known; the best is stored.
 * Tuning, calibration and thresholds see training cutoffs only, in folds of whole users. With too few cancellations
 * the run still succeeds and says that its figures cannot be trusted.
 */
import { FEATURES_TABLE } from '../domain/features/features-table.ts';
import { CANDIDATES } from '../domain/models.ts';
import { trainingResultSchema } from '../domain/results.ts';
import { python } from './composition/python.ts';
import { calibration } from './fragments/calibration.ts';
import { fitting, scoring } from './fragments/candidates.ts';
import { census } from './fragments/census.ts';
import { champion } from './fragments/champion.ts';
import { decisions } from './fragments/decisions.ts';
import { evaluation } from './fragments/evaluation.ts';
import { figures } from './fragments/figures.ts';
import { files } from './fragments/files.ts';
import { folds } from './fragments/folds.ts';
import { histograms } from './fragments/histograms.ts';
import { importance } from './fragments/importance.ts';
import { barrierTimer } from './fragments/jvm.ts';
import { modelDescription } from './fragments/model-description.ts';
import { inputLearning } from './fragments/model-inputs.ts';
import { storing } from './fragments/model-storage.ts';
import { singleInputs } from './fragments/single-inputs.ts';
import { snapshotReading } from './fragments/snapshots.ts';
import { scoreBins } from './fragments/stability-index.ts';
import { tableName } from './fragments/table-name.ts';
import { planTypes, trainingTypes } from './fragments/types.ts';
import { defineStep } from './step.ts';

export const trainModels = defineStep({
  name: 'train-models',
  summary: 'Trains the candidates, judges them on the newest known outcomes, and stores the best.',
  result: trainingResultSchema,
  uses: [
    ...[
      planTypes,
      trainingTypes,
      tableName,
      files,
      snapshotReading,
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
      importance,
      storing,
      champion,
      singleInputs,
    ],
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
    FEATURES = ${FEATURES_TABLE.name}
    CANDIDATES: list[ModelName] = ${CANDIDATES.map((candidate) => candidate.name)}
    ROWS_PER_TASK = 50_000
    # With fewer users who cancel than this, nothing can be learnt, nor can they be dealt to folds.
    LEAST_CANCELLERS = 4
  `,
  run: python`
    class Trained(NamedTuple):
        """A candidate, fitted on all training rows, with its scores and their evaluation."""

        kind: ModelName
        model: CandidateModel
        histograms: dict[str, Histogram]
        evaluation: ModelEvaluation
        test_scores: DataFrame


    def sampled(scored: DataFrame, sample: str) -> DataFrame:
        """What an evaluation needs of scored rows."""
        return scored.select(F.lit(sample).alias("sample"), "label", "raw_score")


    def train_candidate(kind: ModelName, rows: DataFrame, train_rows: int, settings: TrainingSettings) -> Trained:
        """Scores training rows by models that did not see their users, and test rows by a model of all of them."""
        started = time.monotonic()
        train = rows.where("role = 'train'")
        samples = []
        for fold in range(settings["folds"]):
            others = FIT[kind](train.where(F.col("fold") != fold), train_rows, settings)
            held_out = train.where(F.col("fold") == fold)
            samples.append(sampled(with_raw_score(kind, others, held_out), "out_of_fold"))
        model = FIT[kind](train, train_rows, settings)
        fit_seconds = time.monotonic() - started
        test_scores = with_raw_score(kind, model, rows.where("role = 'test'"))
        samples.append(sampled(test_scores, "test"))
        histograms = score_histograms(functools.reduce(DataFrame.union, samples))
        evaluation = evaluate(kind, "candidate", histograms, settings["seed"], fit_seconds)
        return Trained(kind, model, histograms, evaluation, test_scores.select(*TEST_SCORE_COLUMNS))


    def train_candidates(rows: DataFrame, train_rows: int, settings: TrainingSettings) -> list[Trained]:
        """Trains the candidates side by side: each leaves the cores idle for much of its time."""
        with ThreadPoolExecutor(len(CANDIDATES)) as pool:
            return list(pool.map(lambda kind: train_candidate(kind, rows, train_rows, settings), CANDIDATES))


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


    def held_out_precision(trained: Trained) -> float:
        """Average precision on out-of-fold rows, by which the model is chosen: the test rows stay untouched."""
        histogram = trained.histograms["out_of_fold"]
        return float(average_precision(histogram.positives.reshape(1, -1), histogram.negatives.reshape(1, -1))[0])


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


    def checked_again(spark: SparkSession, plan: Plan, rescoring: Rescoring) -> TrainingResult:
        """The result of an earlier run, with the model that is in charge now on its test rows: nothing is trained."""
        files = Files(spark)
        earlier: TrainingResult = files.read_json(rescoring["training"])
        features = read_snapshot(spark, table_name(plan, FEATURES), earlier["featuresSnapshot"])
        cutoff = datetime.date.fromisoformat(earlier["testCutoff"])
        champion = check_champion(files, plan, features.where("role = 'test'"), cutoff, None)
        return {**earlier, "champion": champion}


    def run(spark: SparkSession, plan: Plan) -> TrainingResult:
        """Trains, judges, chooses and stores."""
        settings = plan["training"]
        if str(spark.sparkContext.master).partition("[")[0] == "local":
            atexit.register(release_barrier_timer, spark)
        rescoring = plan["rescoring"]
        if rescoring is not None:
            return checked_again(spark, plan, rescoring)
        features_table = table_name(plan, FEATURES)
        snapshot = current_snapshot(spark, features_table)
        features = read_snapshot(spark, features_table, snapshot)
        counts = census(features)
        train, test = counts["train"], counts["test"]
        tasks = max(2, math.ceil(train["rows"] / ROWS_PER_TASK))
        spark.conf.set("spark.sql.shuffle.partitions", tasks)
        inputs = learn_inputs(features.where("role = 'train'"), train["rows"], settings["excludedFeatures"])
        rows = prepare(features, inputs, tasks, settings)

        evaluations = judge_baselines(rows, counts, settings["seed"])
        trainable = train["cancellers"] >= LEAST_CANCELLERS and train["cancellations"] < train["rows"]
        candidates = train_candidates(rows, train["rows"], settings) if trainable else []
        evaluations += [trained.evaluation for trained in candidates]
        chosen = max(candidates, key=held_out_precision, default=None)
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
            "libraries": {
                "python": platform.python_version(),
                "spark": spark.version,
                "numpy": np.__version__,
                "scikit-learn": sklearn.__version__,
                "xgboost": xgboost.__version__,
            },
        }
        files = Files(spark)
        store(files, plan["outputs"]["model"], description, chosen.model if chosen else None)
        champion = check_champion(
            files, plan, features.where("role = 'test'"), test["cutoff"], chosen.test_scores if chosen else None
        )
        ranked = importance(chosen.model, inputs, rows.where("role = 'train'")) if chosen else []
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
            "champion": champion,
            "singleInputs": single_inputs(features.where("role = 'train'"), inputs, train["users"]),
        }
  `,
});
