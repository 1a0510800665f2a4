/**
 * TrainModels: features -> candidates, judged on the newest cutoff whose outcome is known; the best is stored.
 * Tuning, calibration and thresholds see training cutoffs only, in folds of whole users. With too few cancellations
 * the run still succeeds and says that its figures cannot be trusted.
 */
import { FEATURES_TABLE } from '../domain/features/features-table.ts';
import { sparkTableName } from '../domain/lake.ts';
import { CANDIDATES } from '../domain/models.ts';
import { trainingResultSchema } from '../domain/results.ts';
import { barrierTimer, candidateImports, fitting, scoring } from './fragments/candidates.ts';
import { evaluationFunctions, evaluationImports } from './fragments/evaluation.ts';
import { foldFunctions } from './fragments/folds.ts';
import { inputLearning, inputVector } from './fragments/model-inputs.ts';
import { snapshotFunctions, snapshotReading } from './fragments/snapshots.ts';
import { scoreBins } from './fragments/stability-index.ts';
import { python } from './python.ts';
import { defineStep } from './step.ts';

export const trainModels = defineStep({
  name: 'train-models',
  summary: 'Trains the candidates, judges them on the newest known outcomes, and stores the best.',
  reads: [FEATURES_TABLE],
  writes: [],
  result: trainingResultSchema,
  imports: {
    standard: [
      ...evaluationImports.standard,
      'import atexit',
      'import math',
      'import time',
      'from concurrent.futures import ThreadPoolExecutor',
    ],
    thirdParty: [
      ...evaluationImports.thirdParty,
      ...candidateImports,
      'from pyspark.ml.stat import Summarizer',
    ],
  },
  body: python`
    FEATURES = ${sparkTableName(FEATURES_TABLE)}
    CANDIDATES = ${CANDIDATES.map((candidate) => candidate.name)}
    ROWS_PER_TASK = 50_000
    # Fewer users who cancel than this cannot be told from chance, nor dealt to folds.
    LEAST_CANCELLERS = 4

    ${inputLearning}


    ${snapshotFunctions}


    ${snapshotReading}


    ${inputVector}


    ${evaluationFunctions}


    ${scoreBins}


    ${fitting}


    ${scoring}


    ${barrierTimer}


    ${foldFunctions}


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
  `,
});
