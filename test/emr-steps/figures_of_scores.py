"""Prints all that train-models.py stores of the scores of two models, one with many distinct scores, one with few.

python figures_of_scores.py <train-models.py>  One JSON document, always of the same scores.
"""

import json
import sys

import numpy
from evaluation_reference import histogram, load

USERS = 4000


def main() -> None:
    """Prints what an evaluation and a model's description hold."""
    step = load(sys.argv[1])
    generator = numpy.random.default_rng(11)
    labels = (generator.random(USERS) < 0.05).astype(float)
    smooth = generator.normal(size=USERS) + labels
    stored = {}
    for model, scores in {"distinct": numpy.round(smooth, 6), "tied": numpy.round(smooth * 1.5)}.items():
        # No raw score is -0.0, to which numpy rounds.
        unsigned = scores + 0.0
        samples = {
            "out_of_fold": histogram(step, unsigned[::2], labels[::2]),
            "test": histogram(step, unsigned[1::2], labels[1::2]),
        }
        stored[model] = {
            "evaluation": step.evaluate(model, "candidate", samples, 3, 0),
            "calibration": step.platt_scaling(samples["out_of_fold"]),
            "scoreThresholds": step.score_thresholds(samples["out_of_fold"]),
            "testScores": step.score_bins(samples["test"]),
        }
    print(json.dumps(stored, allow_nan=False, indent=1))


if __name__ == "__main__":
    main()
