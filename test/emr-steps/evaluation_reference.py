"""Compares the figures of the generated train-models.py with scikit-learn on the rows themselves.

python evaluation_reference.py <train-models.py>  Prints one JSON document: for each case and figure the value
from the histogram and the reference.
"""

import importlib.util
import json
import sys

import numpy
from sklearn import linear_model, metrics


def load(path: str):
    """The generated script as a module; its main() does not run."""
    specification = importlib.util.spec_from_file_location("train_models", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["train_models"] = module
    specification.loader.exec_module(module)
    return module


def histogram(step, scores: numpy.ndarray, labels: numpy.ndarray):
    """One bin for each distinct score, as Spark makes them where scores are few."""
    distinct, place = numpy.unique(scores, return_inverse=True)
    positives = numpy.bincount(place, weights=labels, minlength=len(distinct))
    rows = numpy.bincount(place, minlength=len(distinct))
    return step.Histogram(distinct, distinct, positives, rows - positives)


def expected_lift(scores: numpy.ndarray, labels: numpy.ndarray, share: float) -> float:
    """Mean lift at the top over many random orders of equal scores."""
    generator = numpy.random.default_rng(0)
    top = round(share * len(scores))
    caught = []
    for _ in range(4000):
        shuffled = generator.permutation(len(scores))
        order = shuffled[numpy.argsort(-scores[shuffled], kind="stable")]
        caught.append(labels[order[:top]].mean())
    return float(numpy.mean(caught) / labels.mean())


def reference(scores: numpy.ndarray, labels: numpy.ndarray, probabilities: numpy.ndarray, threshold: float) -> dict:
    """The figures but lift as scikit-learn and the definitions give them, row by row."""
    log_odds = numpy.log(probabilities / (1 - probabilities)).reshape(-1, 1)
    recalibration = linear_model.LogisticRegression(C=numpy.inf, tol=1e-10, max_iter=1000)
    parts = numpy.array_split(numpy.argsort(probabilities, kind="stable"), 10)
    gaps = [len(part) * abs(probabilities[part].mean() - labels[part].mean()) for part in parts]
    base_rate = labels.mean()
    precision = metrics.average_precision_score(labels, scores)
    brier = metrics.brier_score_loss(labels, probabilities)
    return {
        "auc": metrics.roc_auc_score(labels, scores),
        "average_precision": precision,
        "average_precision_ratio": precision / base_rate,
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, scores >= threshold),
        "brier": brier,
        "brier_skill": 1 - brier / metrics.brier_score_loss(labels, numpy.full(len(labels), base_rate)),
        "log_loss": metrics.log_loss(labels, probabilities),
        "calibration_error": sum(gaps) / len(labels),
        "calibration_slope": recalibration.fit(log_odds, labels).coef_[0, 0],
    }


def compare(step, scores: numpy.ndarray, labels: numpy.ndarray) -> dict:
    """Every figure twice, and the intervals of a bootstrap over rows beside ours."""
    test = histogram(step, scores, labels)
    calibration = {"slope": 0.8, "intercept": -1.5}
    probabilities = step.probability(calibration, scores)
    thresholds = step.score_thresholds(test)
    figures = step.figures(test, calibration, thresholds, 1)
    threshold = thresholds["best_balanced_accuracy"]
    expected = {
        **reference(scores, labels, probabilities, threshold),
        **{f"lift_at_{top}": expected_lift(scores, labels, top / 100) for top in (5, 10, 20)},
    }
    generator = numpy.random.default_rng(5)
    resampled = [generator.integers(0, len(labels), len(labels)) for _ in range(400)]
    drawn = [reference(scores[rows], labels[rows], probabilities[rows], threshold) for rows in resampled]
    of_rows = {
        name: numpy.quantile([figures_of_draw[name] for figures_of_draw in drawn], [0.025, 0.975]).tolist()
        for name in drawn[0]
    }
    decided = step.decisions(test, thresholds, calibration)["best_f1"]
    predicted = scores >= thresholds["best_f1"]
    best = max(metrics.f1_score(labels, scores >= cut) for cut in numpy.unique(scores))
    return {
        "figures": {name: [value["value"], float(expected[name])] for name, value in figures.items()},
        "intervals": {name: [[figures[name]["low"], figures[name]["high"]], of_rows[name]] for name in of_rows},
        "decision": {
            "f1": [decided["f1"], best],
            "precision": [decided["precision"], metrics.precision_score(labels, predicted)],
            "recall": [decided["recall"], metrics.recall_score(labels, predicted)],
            "balancedAccuracy": [
                decided["balancedAccuracy"],
                metrics.balanced_accuracy_score(labels, predicted),
            ],
        },
        "scoreBins": [step.score_bins(test), tenths(scores)],
        "again": figures == step.figures(test, calibration, thresholds, 1),
    }


def tenths(scores: numpy.ndarray) -> dict:
    """The rows in tenths by the middle rank of their score, and the lowest score of each but the first."""
    below = (scores[:, None] > scores[None, :]).sum(axis=1)
    equal = (scores[:, None] == scores[None, :]).sum(axis=1)
    tenth = (10 * (below + equal / 2) // len(scores)).astype(int)
    parts = [scores[tenth == part] for part in numpy.unique(tenth)]
    return {"starts": [float(part.min()) for part in parts[1:]], "rows": [len(part) for part in parts]}


def one_sided(step) -> dict:
    """What is left of the figures where nothing can be ranked."""
    flat = step.constant_histograms(
        {"train": {"rows": 100, "cancellations": 7}, "test": {"rows": 50, "cancellations": 0}}
    )
    numbers = numpy.arange(40.0)
    separable = histogram(step, numbers, (numbers >= 37).astype(float))
    worse = histogram(step, numpy.arange(40.0), (numpy.arange(40) < 10).astype(float))
    return {
        "evaluation": step.evaluate("base_rate", "baseline", flat, 1, 0),
        "scoreBins": step.score_bins(flat["test"]),
        "separable": step.figures(
            separable, {"slope": 0.1, "intercept": -3.0}, step.score_thresholds(separable), 1
        ),
        "worseThanChance": step.platt_scaling(worse),
    }


def choices(step) -> dict:
    """Which of three candidates is chosen, by how far the first two are behind the third."""
    generator = numpy.random.default_rng(9)
    rows = generator.integers(5, 15, step.LOSS_PARTS).astype(float)
    best = step.HeldOutLosses(rows * generator.normal(0.2, 0.02, step.LOSS_PARTS), rows)

    def chosen(first: float, second: float) -> int:
        # Behind by so many standard errors of the mean difference; parts differ by as much as losses do.
        noise = generator.normal(0, 0.01, step.LOSS_PARTS)
        noise -= (noise * rows).sum() / rows.sum()
        error = numpy.sqrt(((noise * rows) ** 2).sum() * step.LOSS_PARTS / (step.LOSS_PARTS - 1)) / rows.sum()
        behind = [step.HeldOutLosses(best.losses + rows * (noise + times * error), rows) for times in (first, second)]
        return step.simplest_of_the_best([*behind, best])

    return {
        "simplestIsClose": chosen(0.8, 0.2),
        "secondIsClose": chosen(1.3, 0.8),
        "noneIsClose": chosen(3, 1.3),
        "alone": step.simplest_of_the_best([best]),
    }


def main() -> None:
    """Prints the comparison."""
    step = load(sys.argv[1])
    generator = numpy.random.default_rng(7)
    labels = (generator.random(600) < 0.12).astype(float)
    smooth = generator.normal(size=600) + labels
    # numpy rounds to -0.0, which no raw score is: beside 0.0, the processor would decide which of the two unique() keeps.
    tied = numpy.round(smooth * 1.5) + 0.0
    print(
        json.dumps(
            {
                "distinct": compare(step, smooth, labels),
                "tied": compare(step, tied, labels),
                "oneSided": one_sided(step),
                "choices": choices(step),
            },
            allow_nan=False,
        )
    )


if __name__ == "__main__":
    main()
