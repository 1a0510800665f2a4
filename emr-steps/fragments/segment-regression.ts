/**
 * A ridge logistic regression on segments: the log-odds of the user's hazard, the log posteriors, a dozen plain columns and products.
 * Hazards and weights are learnt from a bounded sample of users on the driver; the result is a few dozen numbers, which
 * model.json holds and Spark SQL applies.
 */
import { CHANNELS, channelColumn } from '../../domain/features/channels.ts';
import { HALF_LIVES } from '../../domain/features/measure.ts';
import { SEGMENT_PLAIN_INPUTS, SEGMENT_PRODUCTS } from '../../domain/features/segment-inputs.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { mixture, mixtureType } from './mixture.ts';

export const segmentType = fragment({
  file: import.meta.url,
  needs: [mixtureType],
  imports: ['from typing import TypedDict'],
  constants: python`
    # No posterior counts as less: beyond it a user is simply not of the segment.
    LEAST_LOG_POSTERIOR = -6.0
  `,
  code: python`
    class SegmentRegression(TypedDict):
        """What was learnt from labels: hazards of each segment while free and while paying, and the weights.

        Weights are of the log-odds of the hazard, the log posterior of each segment, the plain inputs, the products.
        """

        hazards: list[list[float]]
        plain: list[str]
        products: list[list[str]]
        intercept: float
        weights: list[float]


    class SegmentModel(TypedDict):
        """The segments, and what they say about users; counts and exposures are columns of features."""

        halfLife: str
        counts: list[str]
        exposures: list[str]
        usualRates: list[float]
        mixture: Mixture
        regression: SegmentRegression
  `,
});

export const segmentRegression = fragment({
  file: import.meta.url,
  needs: [arrays, mixture, segmentType],
  imports: [
    'from typing import NamedTuple',
    'import numpy as np',
    'import numpy.typing as npt',
    'from sklearn.linear_model import LogisticRegression as RidgeRegression',
  ],
  constants: python`
    HALF_LIVES = ${HALF_LIVES.map(String)}
    CHANNEL_COUNTS = ${Object.fromEntries(
      HALF_LIVES.map((halfLife) => [
        String(halfLife),
        CHANNELS.map(({ count }) => channelColumn(count, halfLife)),
      ]),
    )}
    CHANNEL_EXPOSURES = ${Object.fromEntries(
      HALF_LIVES.map((halfLife) => [
        String(halfLife),
        CHANNELS.map(({ exposure }) => channelColumn(exposure, halfLife)),
      ]),
    )}
    SEGMENT_PLAIN_INPUTS = ${[...SEGMENT_PLAIN_INPUTS]}
    SEGMENT_PRODUCTS = ${SEGMENT_PRODUCTS.map((pair) => [...pair])}
    # Hazards are drawn towards that of the level as if so many users of it had been seen.
    HAZARD_USERS = 20.0
    RIDGE_PENALTY = 20.0
    # With fewer users, or fewer who cancel, segments differ by chance.
    LEAST_SEGMENT_USERS = 150
    LEAST_SEGMENT_CANCELLERS = 20
  `,
  code: python`
    class SegmentRows(NamedTuple):
        """Training rows of the sample, in order of user and cutoff; plain inputs by name, counts by half-life."""

        users: npt.NDArray[np.int64]
        folds: npt.NDArray[np.int64]
        labels: Numbers
        is_paid: Numbers
        plain: dict[str, Numbers]
        channels: dict[str, ChannelCounts]

        def newest(self) -> npt.NDArray[np.bool_]:
            """The newest row of each user."""
            return np.append(self.users[1:] != self.users[:-1], True)


    class SegmentFit(NamedTuple):
        """The model of all training users, and those that did not see the users of a fold."""

        whole: SegmentModel
        by_fold: list[SegmentModel]


    def clipped_posteriors(logarithms: Numbers) -> Numbers:
        """Log posteriors as the regression reads them."""
        return np.maximum(logarithms, LEAST_LOG_POSTERIOR)


    def learn_hazards(logarithms: Numbers, labels: Numbers, is_paid: Numbers) -> Numbers:
        """The share of a segment's rows that cancel, while free and while paying."""
        posteriors = np.exp(logarithms)
        hazards = np.empty((posteriors.shape[1], 2))
        for level in (0, 1):
            chosen = is_paid == level
            usual = (labels[chosen].sum() + labels.mean() * HAZARD_USERS) / (chosen.sum() + HAZARD_USERS)
            cancelled = posteriors[chosen].T @ labels[chosen]
            hazards[:, level] = (cancelled + usual * HAZARD_USERS) / (
                posteriors[chosen].sum(axis=0) + HAZARD_USERS
            )
        return hazards


    def segment_columns(
        logarithms: Numbers, hazards: Numbers, is_paid: Numbers, plain: dict[str, Numbers], names: list[str]
    ) -> Numbers:
        """The columns of the regression."""
        hazard = (np.exp(logarithms) * hazards[:, is_paid.astype(int)].T).sum(axis=1)
        products = [plain[one] * plain[other] for one, other in usable_products(names)]
        return np.column_stack(
            [
                np.log(hazard / (1 - hazard)),
                clipped_posteriors(logarithms),
                *(plain[name] for name in names),
                *products,
            ]
        )


    def usable_products(names: list[str]) -> list[list[str]]:
        """The products of inputs that there are: a run may exclude some."""
        return [pair for pair in SEGMENT_PRODUCTS if all(name in names for name in pair)]


    def fit_regression(
        rows: SegmentRows, logarithms: Numbers, chosen: npt.NDArray[np.bool_]
    ) -> SegmentRegression:
        """Hazards and weights from some of the rows, by the log posteriors of all."""
        names = list(rows.plain)
        plain = {name: values[chosen] for name, values in rows.plain.items()}
        labels, is_paid = rows.labels[chosen], rows.is_paid[chosen]
        hazards = learn_hazards(logarithms[chosen], labels, is_paid)
        columns = segment_columns(logarithms[chosen], hazards, is_paid, plain, names)
        mean, spread = columns.mean(axis=0), columns.std(axis=0)
        # What is the same for all users says nothing.
        varies = spread > 1e-9
        scaled = np.where(varies, (columns - mean) / np.where(varies, spread, 1), 0)
        ridge = RidgeRegression(C=1 / RIDGE_PENALTY, solver="newton-cholesky", tol=1e-8).fit(scaled, labels)
        weights = np.where(varies, ridge.coef_[0] / np.where(varies, spread, 1), 0)
        return {
            "hazards": [[parameter(hazard) for hazard in levels] for levels in hazards],
            "plain": names,
            "products": usable_products(names),
            "intercept": parameter(ridge.intercept_[0] - weights @ mean),
            "weights": [parameter(weight) for weight in weights],
        }


    def regression_scores(rows: SegmentRows, logarithms: Numbers, regression: SegmentRegression) -> Numbers:
        """Log-odds of each row."""
        hazards = np.array(regression["hazards"])
        columns = segment_columns(logarithms, hazards, rows.is_paid, rows.plain, regression["plain"])
        scores: Numbers = columns @ np.array(regression["weights"]) + regression["intercept"]
        return scores


    def mean_log_loss(labels: Numbers, scores: Numbers) -> float:
        """Mean negative log likelihood of log-odds."""
        return float((np.logaddexp(0, scores) - labels * scores).mean())


    def fit_half_life(rows: SegmentRows, half_life: str, folds: int, seed: int) -> tuple[float, SegmentFit]:
        """Segments by counts of one half-life: the out-of-fold log loss, and the models."""
        channels = rows.channels[half_life]
        newest = counts_of(channels, rows.newest())
        mixture = fit_mixture(newest, number_of_segments(newest, seed), seed)
        logarithms = log_posteriors(channels, mixture)

        def model(chosen: npt.NDArray[np.bool_]) -> SegmentModel:
            return {
                "halfLife": half_life,
                "counts": CHANNEL_COUNTS[half_life],
                "exposures": CHANNEL_EXPOSURES[half_life],
                "usualRates": [parameter(rate) for rate in usual_rates(newest)],
                "mixture": mixture,
                "regression": fit_regression(rows, logarithms, chosen),
            }

        scores = np.zeros(len(rows.labels))
        by_fold = []
        for fold in range(folds):
            held_out = rows.folds == fold
            by_fold.append(model(~held_out))
            scores[held_out] = regression_scores(rows, logarithms, by_fold[-1]["regression"])[held_out]
        return mean_log_loss(rows.labels, scores), SegmentFit(model(np.ones(len(scores), dtype=bool)), by_fold)


    def fit_segment_models(rows: SegmentRows, folds: int, seed: int) -> SegmentFit | None:
        """The models of the half-life with the least out-of-fold log loss; none where too few users cancel."""
        users = int(rows.newest().sum())
        cancellers = len(np.unique(rows.users[rows.labels == 1]))
        if users < LEAST_SEGMENT_USERS or cancellers < LEAST_SEGMENT_CANCELLERS:
            return None
        tried = [fit_half_life(rows, half_life, folds, seed) for half_life in HALF_LIVES]
        return min(tried, key=lambda one: one[0])[1]
  `,
});
