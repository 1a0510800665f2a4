/** Rows made ready for training: folds of whole users, in an order that is the same every time. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { heldRows } from './jvm.ts';
import { inputVector } from './model-inputs.ts';
import { planTypes } from './types.ts';

export const folds = fragment({
  file: import.meta.url,
  needs: [planTypes, inputVector, heldRows],
  imports: [
    'from pyspark.ml.functions import array_to_vector',
    'from pyspark.sql import DataFrame, Window',
    'from pyspark.sql import functions as F',
  ],
  code: python`
    def with_folds(rows: DataFrame, folds: int, seed: int) -> DataFrame:
        """Deals whole users to folds in the order of a hash, those who cancel and those who do not apart."""
        users = rows.where("role = 'train'").groupBy("user_id").agg(F.max("label").alias("cancels"))
        shuffled = F.xxhash64("user_id", F.lit(seed))
        place = F.row_number().over(Window.partitionBy("cancels").orderBy(shuffled, "user_id"))
        return rows.join(users.select("user_id", (place % folds).alias("fold")), "user_id", "left")


    def prepare(
        features: DataFrame, inputs: list[ModelInput], tasks: int, settings: TrainingSettings
    ) -> HeldRows:
        """Training and test rows with the models' inputs and a fold, held in the same order every time."""
        known = features.where("role IN ('train', 'test')").select(
            "user_id",
            "cutoff",
            "role",
            F.col("label").cast("double").alias("label"),
            "days_since_last_seen",
            *segment_source(),
            array_to_vector(input_array(inputs)).alias("features"),
        )
        dealt = with_folds(known, settings["folds"], settings["seed"]).repartition(tasks, "user_id")
        return HeldRows(dealt.sortWithinPartitions("user_id", "cutoff"))
  `,
});
