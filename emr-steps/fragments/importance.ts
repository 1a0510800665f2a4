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


    def importance(model: CandidateModel, inputs: list[ModelInput], train: DataFrame) -> list[Importance]:
        """Each feature's share of what all inputs bring, largest first."""
        amounts = raw_importance(model, len(inputs), train)
        total = sum(amounts) or 1.0
        shares: list[Importance] = [
            {"feature": feature["name"], "share": round(amount / total, 6)}
            for amount, feature in zip(amounts, inputs, strict=True)
        ]
        # Ordered by the rounded shares: the last digits of equal ones would order them by chance.
        ranked = sorted(shares, key=lambda entry: (-entry["share"], entry["feature"]))
        return [entry for entry in ranked if entry["share"] > 0]
  `,
});
