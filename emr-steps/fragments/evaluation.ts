/** All figures of a model, from its out-of-fold and its test scores. */
import { type Python, python } from '../python.ts';
import { calibrationFunctions } from './calibration.ts';
import { decisionFunctions } from './decisions.ts';
import { figureFunctions } from './figures.ts';
import { histogramFunctions } from './histograms.ts';

/** What the functions below need besides the prelude's imports. */
export const evaluationImports = {
  standard: ['import dataclasses'],
  thirdParty: [
    'import numpy',
    'from pyspark.sql import Column, DataFrame, Window',
    'from pyspark.sql import functions',
    'from sklearn import metrics',
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
      calibration = platt_scaling(out_of_fold)
      ranking = ranking_figures(test, seed) if test.has_both_outcomes else {}
      return {
          "model": model,
          "kind": kind,
          "metrics": {**ranking, **probability_figures(test, calibration)},
          "decisions": decisions(test, score_thresholds(out_of_fold), calibration),
          "reliability": reliability(test, calibration),
          "fitSeconds": round(fit_seconds, 3),
      }
`;
