/** All figures of a model, from its out-of-fold and its test scores. */
import { type Python, python } from '../python.ts';
import { calibrationFunctions } from './calibration.ts';
import { decisionFunctions } from './decisions.ts';
import { figureFunctions } from './figures.ts';
import { histogramFunctions } from './histograms.ts';

/** What the functions below need besides the prelude's imports. */
export const evaluationImports = {
  standard: ['import dataclasses', 'import functools'],
  thirdParty: [
    'import numpy',
    'from pyspark.sql import Column, DataFrame, Window',
    'from pyspark.sql import functions',
    'from sklearn.linear_model import LogisticRegression as WeightedLogisticRegression',
  ],
} as const;

export const evaluationFunctions: Python = python`
  ${histogramFunctions}


  ${calibrationFunctions}


  ${figureFunctions}


  ${decisionFunctions}


  def evaluate(model: str, kind: str, histograms: dict[str, Histogram], seed: int, fit_seconds: float) -> dict:
      """A model's figures on the test rows, with what was learnt from its out-of-fold scores."""
      out_of_fold, test = histograms["out_of_fold"], histograms["test"]
      calibration, thresholds = platt_scaling(out_of_fold), score_thresholds(out_of_fold)
      return {
          "model": model,
          "kind": kind,
          "metrics": figures(test, calibration, thresholds, seed),
          "decisions": decisions(test, thresholds, calibration),
          "reliability": reliability(test, calibration),
          "fitSeconds": round(fit_seconds, 3),
      }
`;
