/**
 * Is a sample of the users enough? Each sample is compared with all other users, feature by feature. The distance is the
 * effect size: how far the shares of users at or below a value are apart where they are furthest apart; for yes or no, how
 * far the shares of yes are.
 */
import { FEATURES } from '../../domain/features/catalogue.ts';
import {
  COMPARED_LABEL,
  LEAST_SAMPLED_USERS,
  MOST_COMPARED_USERS,
  MOST_SAMPLED_SHARE,
  SAMPLE_TEST_LEVEL,
  SAMPLE_TEST_POWER,
  USER_SAMPLES,
} from '../../domain/homogeneity.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { inputCatalogue } from './model-inputs.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

const SHARES = USER_SAMPLES.flatMap(({ name, size }) => ('share' in size ? [[name, size.share]] : []));
const SIZES = USER_SAMPLES.flatMap(({ name, size }) => ('users' in size ? [[name, size.users]] : []));

export const homogeneity = fragment({
  file: import.meta.url,
  needs: [trainingTypes, arrays, inputCatalogue, storedFigures],
  imports: [
    'import math',
    'import numpy as np',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
    'from scipy import stats',
  ],
  constants: python`
    SAMPLE_SHARES: dict[SampleName, float] = ${Object.fromEntries(SHARES)}
    SAMPLE_SIZES: dict[SampleName, int] = ${Object.fromEntries(SIZES)}
    SAMPLE_ORDER: list[SampleName] = ${USER_SAMPLES.map(({ name }) => name)}
    MOST_SAMPLED_SHARE = ${MOST_SAMPLED_SHARE}
    LEAST_SAMPLED_USERS = ${LEAST_SAMPLED_USERS}
    MOST_COMPARED_USERS = ${MOST_COMPARED_USERS}
    SAMPLE_TEST_LEVEL = ${SAMPLE_TEST_LEVEL}
    SAMPLE_TEST_POWER = ${SAMPLE_TEST_POWER}
    # With less in a cell, the chi-square distribution is a poor approximation (Cochran, Biometrics 10, 1954).
    LEAST_EXPECTED = 5
    COMPARED_LABEL = ${COMPARED_LABEL}
    # Whether they cancel, and everything that models read.
    COMPARED = [COMPARED_LABEL, *(feature.name for feature in CATALOGUE)]
    YES_OR_NO = ${[COMPARED_LABEL, ...FEATURES.filter(({ words }) => words.kind === 'yes or no').map(({ name }) => name)]}
  `,
  code: python`
    def sample_users(users: int) -> dict[SampleName, int]:
        """How many users each sample has, in order."""
        sizes = {name: round(share * users) for name, share in SAMPLE_SHARES.items()} | SAMPLE_SIZES
        return {name: min(sizes[name], MOST_COMPARED_USERS) for name in SAMPLE_ORDER}


    def is_tested(size: int, users: int) -> bool:
        """Whether a sample of so many users can be told from the whole."""
        return LEAST_SAMPLED_USERS <= size <= MOST_SAMPLED_SHARE * users


    def compared_values(rows: DataFrame, users: int) -> Numbers:
        """The label and the features of the users in the order of a hash: a sample is the first of them.

        A missing amount is less than any other; where yes or no is missing, it counts as no.
        """

        def value(name: str) -> str:
            missing = "0D" if name in YES_OR_NO else "double('-Infinity')"
            return f"coalesce(double({name}), {missing})"

        values = F.expr(f"array({', '.join(value(name) for name in COMPARED)})")
        drawn = (
            rows.select(F.xxhash64(F.lit("sample"), "user_id").alias("place"), "user_id", values.alias("values"))
            .orderBy("place", "user_id")
            .limit(users)
            .toPandas()
        )
        return np.array(drawn["values"].tolist(), dtype=float).reshape(-1, len(COMPARED))


    def adjusted_by_holm(p_values: Numbers) -> Numbers:
        """P-values that may be compared with the level for all tests together (Holm 1979)."""
        order = np.argsort(p_values, kind="stable")
        steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
        adjusted = np.empty_like(p_values)
        adjusted[order] = np.minimum(steps, 1)
        return adjusted


    def smallest_distance(size: float, level: float) -> float:
        """A distance that Kolmogorov and Smirnov's test finds with the stated power, wherever it is.

        The difference at the place of the distance alone has at most the variance of two shares of a half, and the test
        looks at the largest of all. So the power is at least the stated one, ties or not.

        @param size of the one sample whose distance is as sure: the product of the two sizes over their sum
        """
        critical = stats.kstwo.isf(level, round(size))
        return float(critical + stats.norm.ppf(SAMPLE_TEST_POWER) / (2 * math.sqrt(size)))


    def smallest_share_distance(share: float, size: float, level: float) -> float:
        """A difference from a share, towards the half, that an exact test finds with the stated power; 1 where none is.

        @param size as for the distance
        """
        rarer, rows = min(share, 1 - share), round(size)
        needed = stats.binom.isf(level / 2, rows, rarer) + 1
        if needed > rows:
            return 1.0
        found = stats.beta.ppf(SAMPLE_TEST_POWER, needed, rows - needed + 1)
        return float(found - rarer)


    def compare_shares(name: str, sample: Numbers, others: Numbers, level: float) -> SampleDifference:
        """Chi-square, or Fisher's exact test where it would be a poor approximation."""
        ones = np.array([sample.sum(), others.sum()])
        sizes = np.array([len(sample), len(others)])
        cells = np.column_stack([ones, sizes - ones])
        expected = np.outer(sizes, cells.sum(axis=0)) / sizes.sum()
        share = ones / sizes
        is_exact = expected.min() < LEAST_EXPECTED
        exact, plain = stats.fisher_exact, stats.chi2_contingency
        test = exact(cells.astype(int)) if is_exact else plain(cells, correction=False)
        smallest = smallest_share_distance(float(share[1]), sizes.prod() / sizes.sum(), level)
        return {
            "feature": name,
            "test": "fisher_exact" if is_exact else "chi_square",
            "distance": stored(abs(share[0] - share[1])),
            "pValue": stored(test.pvalue),
            "adjusted": 1.0,
            "smallestFound": stored(smallest) if smallest < 1 else None,
        }


    def compare_amounts(name: str, sample: Numbers, others: Numbers, level: float) -> SampleDifference:
        """Kolmogorov and Smirnov's test of two samples."""
        test = stats.ks_2samp(sample, others, method="asymp")
        smallest = smallest_distance(len(sample) * len(others) / (len(sample) + len(others)), level)
        return {
            "feature": name,
            "test": "kolmogorov_smirnov",
            "distance": stored(test.statistic),
            "pValue": stored(test.pvalue),
            "adjusted": 1.0,
            "smallestFound": stored(smallest) if smallest < 1 else None,
        }


    def compare_sample(name: SampleName, values: Numbers, size: int) -> SampleComparison:
        """The first users compared with those behind them, in each column; those that differ most first."""
        sample, others = values[:size], values[size : size + MOST_COMPARED_USERS]
        # Holm's first step: a single feature that differs must pass it.
        level = SAMPLE_TEST_LEVEL / len(COMPARED)
        differences = [
            (compare_shares if column in YES_OR_NO else compare_amounts)(
                column, sample[:, index], others[:, index], level
            )
            for index, column in enumerate(COMPARED)
        ]
        adjusted = adjusted_by_holm(np.array([difference["pValue"] for difference in differences]))
        for difference, p_value in zip(differences, adjusted, strict=True):
            difference["adjusted"] = stored(p_value)
        return {
            "sample": name,
            "users": size,
            "others": len(others),
            "cancelled": int(sample[:, COMPARED.index(COMPARED_LABEL)].sum()),
            "differences": sorted(differences, key=lambda one: (one["pValue"], -one["distance"], one["feature"])),
        }


    def homogeneity(rows: DataFrame, users: int) -> Homogeneity:
        """How samples of the users differ from the others.

        @param rows one labelled row a user
        @param users how many they are
        """
        sizes = sample_users(users)
        tested = [size for size in sizes.values() if is_tested(size, users)]
        values = np.empty((0, len(COMPARED)))
        if tested:
            values = compared_values(rows, max(tested) + MOST_COMPARED_USERS)
        samples: list[SampleComparison] = [
            compare_sample(name, values, size)
            if is_tested(size, users)
            else {"sample": name, "users": size, "others": 0, "cancelled": 0, "differences": []}
            for name, size in sizes.items()
        ]
        return {"users": users, "samples": samples}
  `,
});
