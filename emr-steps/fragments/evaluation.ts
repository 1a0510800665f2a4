/** All metrics of a model, from its out-of-fold and its test scores. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { calibration } from './calibration.ts';
import { decisions } from './decisions.ts';
import { figures } from './figures.ts';
import { histograms } from './histograms.ts';
import { scoreCurve } from './score-curve.ts';
import { trainingTypes } from './types.ts';

export const evaluation = fragment({
  file: import.meta.url,
  needs: [trainingTypes, histograms, calibration, figures, decisions, scoreCurve],
  imports: ['from typing import Literal'],
  code: python`
    def evaluate(
        model: ModelName,
        kind: Literal["candidate", "baseline"],
        histograms: dict[str, Histogram],
        seed: int,
        fit_seconds: float,
    ) -> ModelEvaluation:
        """A model's metrics on the test rows, with what was learnt from its out-of-fold scores."""
        out_of_fold = histograms["out_of_fold"]
        evaluated = evaluate_stored(
            model, histograms["test"], platt_scaling(out_of_fold), score_thresholds(out_of_fold), seed
        )
        return {**evaluated, "kind": kind, "fitSeconds": round(fit_seconds, 3)}


    def evaluate_stored(
        model: ModelName,
        test: Histogram,
        calibration: Calibration,
        thresholds: dict[ThresholdRule, float],
        seed: int,
    ) -> ModelEvaluation:
        """The metrics of a model on test rows, with a calibration and thresholds that it has learnt before."""
        return {
            "model": model,
            "kind": "candidate",
            "metrics": figures(test, calibration, thresholds, seed),
            "decisions": decisions(test, thresholds, calibration),
            "reliability": reliability(test, calibration),
            "fitSeconds": 0,
            "curve": score_curve(test, calibration),
        }
  `,
});
