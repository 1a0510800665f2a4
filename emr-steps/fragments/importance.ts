/** Which features a fitted model looks at. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { candidateType } from './candidates.ts';
import { featureType } from './model-inputs.ts';
import { trainingTypes } from './types.ts';

export const importance = fragment({
  file: import.meta.url,
  needs: [trainingTypes, featureType, candidateType],
  imports: [
    'from collections.abc import Mapping',
    'from typing import Any',
    'import numpy as np',
    'from pyspark.ml import classification',
    'from pyspark.ml.stat import Summarizer',
    'from pyspark.sql import DataFrame',
    'from xgboost.spark import SparkXGBClassifierModel',
  ],
  code: python`
    def raw_importance(model: CandidateModel, inputs: int, train: DataFrame) -> list[float]:
        """The gain that each input brings, or its absolute standardised weight."""
        if isinstance(model, SparkXGBClassifierModel):
            gain: Mapping[str, Any] = model.get_booster().get_score(importance_type="total_gain")
            return [gain.get(f"f{index}", 0.0) for index in range(inputs)]
        if isinstance(model, classification.RandomForestClassificationModel):
            shares: list[float] = model.featureImportances.toArray().tolist()
            return shares
        (summary,) = train.select(Summarizer.std(train.features).alias("deviation")).collect()
        weights: list[float] = np.abs(model.coefficients.toArray() * summary.deviation.toArray()).tolist()
        return weights


    def as_shares(amounts: Mapping[str, float]) -> dict[str, float]:
        """Amounts that add up to 1, where there are any."""
        total = sum(amounts.values()) or 1.0
        return {name: amount / total for name, amount in amounts.items()}


    def importance(
        model: CandidateModel | None,
        inputs: list[ModelInput],
        train: DataFrame,
        by_segments: dict[str, float],
        segments: int,
    ) -> list[Importance]:
        """Each feature's share of what all inputs bring, largest first.

        @param by_segments what inputs and channels bring to a regression on segments; empty where the model has none
        @param segments inputs of the model's trees that are about segments, behind the others
        """
        regression = as_shares(by_segments)
        if model is None:
            return ranked_shares(regression)
        gains = raw_importance(model, len(inputs) + segments, train)
        amounts = {feature["name"]: gain for feature, gain in zip(inputs, gains, strict=False)}
        if not by_segments:
            return ranked_shares(amounts)
        # What segments bring to the trees is what the channels bring to the segments.
        of_channels = as_shares({name: by_segments[name] for name in by_segments if name not in amounts})
        for name, share in of_channels.items():
            amounts[name] = share * sum(gains[len(inputs) :])
        trees = as_shares(amounts)
        return ranked_shares(
            {name: trees.get(name, 0.0) + regression.get(name, 0.0) for name in {**trees, **regression}}
        )


    def ranked_shares(amounts: dict[str, float]) -> list[Importance]:
        """Shares of a total, largest first; those of nothing are left out."""
        shares: list[Importance] = [
            {"feature": name, "share": round(share, 6)} for name, share in as_shares(amounts).items()
        ]
        # Ordered by the rounded shares: the last digits of equal ones would order them by chance.
        ranked = sorted(shares, key=lambda entry: (-entry["share"], entry["feature"]))
        return [entry for entry in ranked if entry["share"] > 0]
  `,
});
