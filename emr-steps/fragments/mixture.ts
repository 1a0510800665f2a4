/**
 * Behaviour segments: a mixture of users by the rates of a few pages, fitted without labels.
 * A user's counts are Poisson with a rate of the segment times an exposure. The mixture is fitted by EM on the driver, from
 * one row each of a bounded sample of users.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';

export const mixtureType = fragment({
  file: import.meta.url,
  imports: ['from typing import TypedDict'],
  code: python`
    class Mixture(TypedDict):
        """Segments, the largest first: their shares of the users, and the rates of each by channel."""

        sizes: list[float]
        rates: list[list[float]]
  `,
});

export const mixture = fragment({
  file: import.meta.url,
  needs: [arrays, mixtureType],
  imports: ['from typing import NamedTuple', 'import numpy as np', 'import numpy.typing as npt'],
  constants: python`
    MOST_SEGMENTS = 7
    MIXTURE_STARTS = 3
    MIXTURE_ITERATIONS = 200
    # EM ends when an iteration raises the log-likelihood by less than this share of it.
    MIXTURE_TOLERANCE = 1e-6
    # Rates start around the usual ones, and are drawn towards them as if so many events at the usual rate had been seen.
    START_SPREAD = 0.5
    USUAL_EVENTS = 1.0
    # A gain in log-likelihood a user that is none: more segments then split the typical users.
    NEGLIGIBLE_GAIN = 0.005
    # Parameters are stored with so many digits: the others depend on the processor.
    PARAMETER_DIGITS = 7
  `,
  code: python`
    class ChannelCounts(NamedTuple):
        """Counts and exposures: a row for each user, a column for each channel."""

        counts: Numbers
        exposures: Numbers


    class MixtureFit(NamedTuple):
        """One end of EM."""

        log_likelihood: float
        sizes: Numbers
        rates: Numbers


    def counts_of(users: ChannelCounts, chosen: npt.NDArray[np.bool_]) -> ChannelCounts:
        """Those of some users."""
        return ChannelCounts(users.counts[chosen], users.exposures[chosen])


    def log_joint(users: ChannelCounts, sizes: Numbers, rates: Numbers) -> Numbers:
        """Log-likelihood of each user with each segment, up to what is the same for all segments."""
        joint: Numbers = users.counts @ np.log(rates).T - users.exposures @ rates.T + np.log(sizes)
        return joint


    def log_totals(joint: Numbers) -> Numbers:
        """Logarithm of the sum of each row's exponentials."""
        top = joint.max(axis=1)
        totals: Numbers = top + np.log(np.exp(joint - top[:, None]).sum(axis=1))
        return totals


    def log_posteriors(users: ChannelCounts, mixture: Mixture) -> Numbers:
        """Logarithm of the probability of each segment, by user."""
        joint = log_joint(users, np.array(mixture["sizes"]), np.array(mixture["rates"]))
        return joint - log_totals(joint)[:, None]


    def usual_rates(users: ChannelCounts) -> Numbers:
        """The rates of all users together; above 0 where no event was seen."""
        rates: Numbers = (users.counts.sum(axis=0) + USUAL_EVENTS) / (users.exposures.sum(axis=0) + 1)
        return rates


    def fit_from(users: ChannelCounts, sizes: Numbers, rates: Numbers) -> MixtureFit:
        """EM from a start; sizes as if each segment had one user more, rates drawn towards the usual ones."""
        usual = usual_rates(users)
        before = -np.inf
        for _ in range(MIXTURE_ITERATIONS):
            joint = log_joint(users, sizes, rates)
            totals = log_totals(joint)
            belongs = np.exp(joint - totals[:, None])
            sizes = (belongs.sum(axis=0) + 1) / (len(totals) + len(sizes))
            rates = (belongs.T @ users.counts + USUAL_EVENTS) / (
                belongs.T @ users.exposures + USUAL_EVENTS / usual
            )
            reached = float(totals.sum())
            if reached - before < MIXTURE_TOLERANCE * abs(reached):
                break
            before = reached
        return MixtureFit(reached, sizes, rates)


    def fit_segments(users: ChannelCounts, segments: int, seed: int) -> MixtureFit:
        """The best of a few starts."""
        generator = np.random.default_rng(seed)
        usual = usual_rates(users)
        starts = (
            usual * np.exp(generator.normal(0, START_SPREAD, (segments, len(usual))))
            for _ in range(MIXTURE_STARTS)
        )
        even = np.full(segments, 1 / segments)
        return max((fit_from(users, even, start) for start in starts), key=lambda fit: fit.log_likelihood)


    def number_of_segments(users: ChannelCounts, seed: int) -> int:
        """The fewest segments whose held-out likelihood is within one standard error of the best."""
        is_learnt = np.arange(len(users.counts)) % 2 == 0
        learnt, held_out = counts_of(users, is_learnt), counts_of(users, ~is_learnt)
        likelihoods = []
        for segments in range(1, MOST_SEGMENTS + 1):
            fit = fit_segments(learnt, segments, seed)
            likelihoods.append(log_totals(log_joint(held_out, fit.sizes, fit.rates)))
        best = max(likelihoods, key=lambda likelihood: float(likelihood.mean()))
        for segments, likelihood in enumerate(likelihoods, start=1):
            behind = best - likelihood
            error = behind.std() / np.sqrt(len(behind))
            if behind.mean() <= max(error, NEGLIGIBLE_GAIN):
                return segments
        return MOST_SEGMENTS


    def fit_mixture(users: ChannelCounts, segments: int, seed: int) -> Mixture:
        """The segments of these users as they are stored, the largest first."""
        fit = fit_segments(users, segments, seed)
        order = np.argsort(-fit.sizes, kind="stable")
        return {
            "sizes": [parameter(size) for size in fit.sizes[order]],
            "rates": [[parameter(rate) for rate in rates] for rates in fit.rates[order]],
        }


    def parameter(value: float) -> float:
        """A number as it is stored."""
        return float(f"{value:.{PARAMETER_DIGITS}g}")
  `,
});
