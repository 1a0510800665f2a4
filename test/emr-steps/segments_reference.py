"""Fits segments to drawn users of known segments, and prints what came of it.

python segments_reference.py <segments.py>  Prints one JSON document.
"""

import importlib.util
import json
import sys

import numpy

USERS = 3000
CUTOFFS = 2
FOLDS = 5
SIZES = [0.6, 0.25, 0.15]
# Likes and dislikes a song, adverts a free and a paid song, Upgrade a free event, Downgrade a paid event.
RATES = [
    [0.05, 0.01, 0.05, 0.005, 0.01, 0.01],
    [0.05, 0.035, 0.05, 0.005, 0.01, 0.02],
    [0.02, 0.01, 0.2, 0.02, 0.002, 0.02],
]
HAZARDS = [0.03, 0.25, 0.15]
PLAIN = ["is_paid", "days_since_last_seen", "events_per_day", "begun_sessions_per_day"]


def load(path: str):
    """The composed fragments as a module."""
    specification = importlib.util.spec_from_file_location("segments", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["segments"] = module
    specification.loader.exec_module(module)
    return module


def drawn(step, generator: numpy.random.Generator, sizes: list[float]):
    """Rows of two cutoffs by user, the second with twice the history of the first; and the true segments."""
    rates, hazards = numpy.array(RATES), numpy.array(HAZARDS)
    truth = generator.choice(len(sizes), size=USERS, p=sizes)
    is_paid = (generator.random(USERS) < 0.3).astype(float)
    events = generator.lognormal(5, 1, USERS)
    shares = numpy.column_stack([0.8 * numpy.ones(USERS)] * 2 + [1 - is_paid, is_paid] * 2)
    exposures = numpy.round(events[:, None] * shares)
    first = generator.poisson(rates[truth] * exposures)
    second = first + generator.poisson(rates[truth] * exposures)
    labels = (generator.random((CUTOFFS, USERS)) < hazards[truth]).T.ravel().astype(float)
    counts = step.ChannelCounts(
        numpy.stack([first, second], axis=1).reshape(-1, first.shape[1]).astype(float),
        numpy.stack([exposures, 2 * exposures], axis=1).reshape(-1, first.shape[1]),
    )
    recency = generator.exponential(3, USERS * CUTOFFS)
    rate = numpy.repeat(events / 20, CUTOFFS)
    plain = dict(
        zip(
            PLAIN,
            [numpy.repeat(is_paid, CUTOFFS), numpy.log1p(recency), numpy.log1p(rate), numpy.log1p(rate / 50)],
            strict=True,
        )
    )
    rows = step.SegmentRows(
        users=numpy.repeat(numpy.arange(USERS), CUTOFFS),
        folds=numpy.repeat(generator.integers(0, FOLDS, USERS), CUTOFFS),
        labels=labels,
        is_paid=numpy.repeat(is_paid, CUTOFFS),
        plain=plain,
        channels={half_life: counts for half_life in step.HALF_LIVES},
    )
    return rows, truth


def out_of_fold(step, rows, folds_the_mixture: bool) -> numpy.ndarray:
    """The log loss of each row by models that did not see its user; the mixture is fitted to all users, or to others."""
    channels = rows.channels["none"]
    newest = rows.newest()
    losses = numpy.zeros(len(rows.labels))
    for fold in range(FOLDS):
        held_out = rows.folds == fold
        learnt = newest & ~held_out if folds_the_mixture else newest
        mixture = step.fit_mixture(step.counts_of(channels, learnt), len(SIZES), 1)
        logarithms = step.log_posteriors(channels, mixture)
        scores = step.regression_scores(rows, logarithms, step.fit_regression(rows, logarithms, ~held_out))
        losses[held_out] = (numpy.logaddexp(0, scores) - rows.labels * scores)[held_out]
    return losses


def main() -> None:
    """Prints the segments found, how they foretell, and what depends on what."""
    step = load(sys.argv[1])
    rows, truth = drawn(step, numpy.random.default_rng(5), SIZES)
    fit = step.fit_segment_models(rows, FOLDS, 1)
    again = step.fit_segment_models(rows, FOLDS, 1)
    model = fit.whole
    channels = rows.channels["none"]
    logarithms = step.log_posteriors(channels, model["mixture"])
    newest = rows.newest()
    alike, _ = drawn(step, numpy.random.default_rng(6), [1.0])
    with_all, with_others = (out_of_fold(step, rows, folded) for folded in (False, True))
    difference = (with_all - with_others).reshape(USERS, CUTOFFS).sum(axis=1)
    few = step.SegmentRows(
        *(part[:200] for part in rows[:4]),
        {name: values[:200] for name, values in rows.plain.items()},
        {name: step.counts_of(counts, numpy.arange(USERS * CUTOFFS) < 200) for name, counts in rows.channels.items()},
    )
    base = rows.labels.mean()
    scores = step.regression_scores(rows, logarithms, model["regression"])
    print(
        json.dumps(
            {
                "sizes": model["mixture"]["sizes"],
                "rates": model["mixture"]["rates"],
                "hazards": model["regression"]["hazards"],
                "found": float((logarithms.argmax(axis=1)[newest] == truth).mean()),
                "segmentsOfAlike": step.number_of_segments(step.counts_of(alike.channels["none"], alike.newest()), 1),
                "losses": {
                    "segments": float(with_all.mean()),
                    "baseRate": step.mean_log_loss(
                        rows.labels, numpy.full(len(rows.labels), numpy.log(base / (1 - base)))
                    ),
                    "changeByFolding": float(difference.mean()),
                    "errorOfChange": float(difference.std() / numpy.sqrt(USERS)),
                    "errorOfLoss": float(
                        with_all.reshape(USERS, CUTOFFS).sum(axis=1).std() / numpy.sqrt(USERS)
                    ),
                },
                "again": fit == again,
                "ofFew": step.fit_segment_models(few, FOLDS, 1),
                "meanScore": float((1 / (1 + numpy.exp(-scores))).mean()),
                "baseRate": float(base),
            },
            allow_nan=False,
        )
    )


if __name__ == "__main__":
    main()
