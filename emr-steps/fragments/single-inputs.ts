/** Which inputs rank users too well by themselves: the first sign of one that knows the future. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { inputVector } from './model-inputs.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

export const singleInputs = fragment({
  file: import.meta.url,
  needs: [trainingTypes, arrays, inputVector, storedFigures],
  imports: [
    'import numpy as np',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # One row each of about so many users, chosen by a hash.
    SINGLE_INPUT_USERS = 20_000
    SINGLE_INPUTS = 5
    # Two-sided 99.9 % quantile of the normal distribution.
    SINGLE_INPUT_QUANTILE = 3.29
  `,
  code: python`
    def single_inputs(train: DataFrame, inputs: list[ModelInput], users: int) -> list[SingleInput]:
        """The inputs that rank best by themselves, in whichever direction; strongest first.

        One training row a user, so that rows are independent: of the user's cancellation if there is one. An input
        has learnt nothing, so all training rows are out of fold for it.
        """
        share = min(1.0, SINGLE_INPUT_USERS / max(users, 1))
        chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
        newest = F.struct("label", "cutoff")
        rows = (
            train.where(chosen)
            .groupBy("user_id")
            .agg(F.max_by(F.struct("label", input_array(inputs).alias("values")), newest).alias("row"))
            .select("row.label", "row.values")
            .toPandas()
        )
        labels = rows["label"].to_numpy(dtype=float)
        positives, negatives = labels.sum(), len(labels) - labels.sum()
        if positives == 0 or negatives == 0:
            return []
        values = np.array(rows["values"].tolist(), dtype=float)
        ranks = np.array([mean_ranks(values[:, index])[labels == 1].sum() for index in range(len(inputs))])
        below = ranks - positives * (positives + 1) / 2
        area = below / (positives * negatives)
        strength = np.maximum(area, 1 - area)
        low = strength - SINGLE_INPUT_QUANTILE * area_deviation(strength, positives, negatives)
        found: list[SingleInput] = [
            {"feature": feature["name"], "auc": stored(strength[index]), "low": stored(low[index])}
            for index, feature in enumerate(inputs)
        ]
        return sorted(found, key=lambda entry: (-entry["low"], entry["feature"]))[:SINGLE_INPUTS]


    def mean_ranks(values: Numbers) -> Numbers:
        """The rank of each value from 1 upwards; equal values share the mean of theirs."""
        _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[place]
        return ranks


    def area_deviation(area: Numbers, positives: float, negatives: float) -> Numbers:
        """Standard error of an AUC (Hanley and McNeil, Radiology 143, 1982)."""
        concordant_positives, concordant_negatives = area / (2 - area), 2 * area**2 / (1 + area)
        spread = (
            area * (1 - area)
            + (positives - 1) * (concordant_positives - area**2)
            + (negatives - 1) * (concordant_negatives - area**2)
        )
        deviation: Numbers = np.sqrt(np.maximum(spread, 0) / (positives * negatives))
        return deviation
  `,
});
