/** The models that compete: how each is fitted, loaded, and made to give a score on the log-odds scale. */
import { type Python, python } from '../python.ts';

/** Imports of the functions below. */
export const candidateImports = [
  'from pyspark.ml import classification',
  'from pyspark.ml.functions import array_to_vector, vector_to_array',
  'from xgboost.spark import SparkXGBClassifier',
] as const;

/** Fitting (train-models only). */
export const fitting: Python = python`
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
`;

/** Ending the driver (train-models only). */
export const barrierTimer: Python = python`
  def release_barrier_timer(spark: SparkSession) -> None:
      """Lets a local driver end: Spark 3.5 keeps a timer of barrier tasks alive in it (SPARK-46895)."""
      context = getattr(getattr(spark._jvm.org.apache.spark, "BarrierTaskContext$"), "MODULE$")
      getattr(context, "org$apache$spark$BarrierTaskContext$$timer")().cancel()
`;

/** Scoring and loading. */
export const scoring: Python = python`
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
`;

/** Reading a stored model (score-users only). */
export const loadingImports = [
  'from pyspark.ml import classification',
  'from pyspark.ml.functions import array_to_vector, vector_to_array',
  'from xgboost.spark import SparkXGBClassifierModel',
] as const;

export const loading: Python = python`
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
`;
