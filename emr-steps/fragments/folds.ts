/** Rows made ready for training: folds of whole users, in an order that is the same every time. */
import { type Python, python } from '../python.ts';

export const foldFunctions: Python = python`
  def with_folds(rows: DataFrame, folds: int, seed: int) -> DataFrame:
      """Deals whole users to folds in the order of a hash, those who cancel and those who do not apart."""
      users = rows.where("role = 'train'").groupBy("user_id").agg(functions.max("label").alias("cancels"))
      shuffled = functions.xxhash64("user_id", functions.lit(seed))
      place = functions.row_number().over(Window.partitionBy("cancels").orderBy(shuffled, "user_id"))
      return rows.join(users.select("user_id", (place % folds).alias("fold")), "user_id", "left")


  def prepare(features: DataFrame, inputs: list[dict], tasks: int, settings: dict) -> DataFrame:
      """Training and test rows with the models' inputs and a fold; cached, in the same order every time."""
      known = features.where("role IN ('train', 'test')").select(
          "user_id",
          "cutoff",
          "role",
          functions.col("label").cast("double").alias("label"),
          "days_since_last_seen",
          array_to_vector(input_array(inputs)).alias("features"),
      )
      return (
          with_folds(known, settings["folds"], settings["seed"])
          .repartition(tasks, "user_id")
          .sortWithinPartitions("user_id", "cutoff")
          .cache()
      )
`;
