/**
 * What drives a model: by how much its AUC on test users falls when their values of a feature, or of a group of features, are
 * dealt to other users; and in which direction a feature goes with the score. It says what the model uses, not why users cancel.
 */
import { DEALS, DRIVER_USERS, LEADING_FEATURES } from '../../domain/drivers.ts';
import { FEATURE_GROUPS } from '../../domain/features/measure.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { channelRates } from './channel-rates.ts';
import { featureRanges } from './feature-ranges.ts';
import { inputVector } from './model-inputs.ts';
import { scoresInNumpy } from './scores-in-numpy.ts';
import { singleInputs } from './single-inputs.ts';
import { testedModel } from './slices.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

export const drivers = fragment({
  file: import.meta.url,
  needs: [
    ...[trainingTypes, arrays, channelRates, inputVector, scoresInNumpy, singleInputs],
    ...[storedFigures, testedModel, featureRanges],
  ],
  imports: [
    'import dataclasses',
    'from typing import TypedDict',
    'import numpy as np',
    'import numpy.typing as npt',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # About so many test users, chosen by a hash; of fewer, all.
    DRIVER_USERS = ${DRIVER_USERS}
    GROUP_DEALS = ${DEALS.group}
    FEATURE_DEALS = ${DEALS.feature}
    LEADING_FEATURES = ${LEADING_FEATURES}
    # In the order of the catalogue.
    GROUPS = ${FEATURE_GROUPS.map(({ name }) => name)}
  `,
  code: python`
    class Fall(TypedDict):
        """By how much the AUC falls: the mean of the deals, the least and the most of them."""

        fall: float
        least: float
        most: float


    @dataclasses.dataclass(frozen=True)
    class DriverSample:
        """Test users: whether they cancelled, what the model reads of them, and the leading features as they are."""

        labels: Numbers
        users: UserValues
        # A row for each feature; not a number where the value is missing.
        values: Numbers


    def driver_sample(
        test: DataFrame,
        inputs: list[ModelInput],
        segments: SegmentModel | None,
        sources: list[str],
        users: int,
    ) -> DriverSample:
        """The sample, in the order of the users; takes rows of features, the features in SQL, and how many users there are."""
        share = min(1.0, DRIVER_USERS / max(users, 1))
        chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
        counted = [*segments["counts"], *segments["exposures"]] if segments else []
        rows = (
            test.where(chosen)
            .withColumns({"read": input_array(inputs), "values": F.array(*(F.expr(sql) for sql in sources))})
            .select("user_id", "label", "read", "values", F.array(*segment_source()).alias("source"))
            .toPandas()
            .sort_values("user_id")
            .head(DRIVER_USERS)
        )

        def matrix(column: str) -> Numbers:
            return np.array(rows[column].tolist(), dtype=float).reshape(len(rows), -1)

        source = dict(zip(["is_paid", *CHANNEL_COLUMNS], matrix("source").T, strict=True))
        columns = np.array([source[name] for name in counted]).reshape(len(counted), len(rows)).T
        channels = ChannelCounts(*np.split(columns, 2, axis=1))
        return DriverSample(
            labels=rows["label"].to_numpy(dtype=float),
            users=UserValues(matrix("read"), source["is_paid"], channels),
            values=matrix("values").T,
        )


    def area_of(scores: Numbers, labels: Numbers) -> float:
        """Area under the ROC curve; ties count half."""
        positives = labels.sum()
        ranks = mean_ranks(scores)[labels == 1].sum()
        return float((ranks - positives * (positives + 1) / 2) / (positives * (len(labels) - positives)))


    def dealt(
        users: UserValues, order: npt.NDArray[np.int64], columns: list[int], channels: list[int], paid: int | None
    ) -> UserValues:
        """The users with some inputs and channels of others; takes the number of the input that is also the level."""
        inputs = users.inputs.copy()
        inputs[:, columns] = users.inputs[order][:, columns]
        counts, exposures = users.channels.counts.copy(), users.channels.exposures.copy()
        counts[:, channels] = users.channels.counts[order][:, channels]
        exposures[:, channels] = users.channels.exposures[order][:, channels]
        is_paid = users.is_paid[order] if paid in columns else users.is_paid
        return UserValues(inputs, is_paid, ChannelCounts(counts, exposures))


    def rank_correlation(values: Numbers, scores: Numbers) -> float | None:
        """Spearman's, of the users whose value is known; none where all have the same."""
        known = ~np.isnan(values)
        ranks = [mean_ranks(numbers[known]) for numbers in (values, scores)]
        if not known.any() or min(float(np.ptp(numbers)) for numbers in ranks) == 0:
            return None
        return stored(np.corrcoef(ranks)[0, 1])


    def leading_features(
        ranked: list[Importance], inputs: list[ModelInput], segments: SegmentModel | None
    ) -> dict[str, str]:
        """The features that bring the model most, each as SQL over features; of channels events per exposure."""
        rates = dict(zip(counts_of_channels(segments), channel_rates(segments), strict=True))
        sources = {**{feature["name"]: feature["name"] for feature in inputs}, **rates}
        return {one["feature"]: sources[one["feature"]] for one in ranked[:LEADING_FEATURES]}


    def what_drives(
        test: DataFrame,
        users: int,
        tested: TestedModel,
        score: ScoreFunction,
        inputs: list[ModelInput],
        ranked: list[Importance],
        seed: int,
    ) -> Drivers | None:
        """What drives the model; none where its features bring nothing, or the users hold one outcome only.

        @param test rows of features at the test cutoff
        @param users how many these are
        @param ranked what each feature brings, largest first
        """
        leading = leading_features(ranked, inputs, score.segments)
        if not leading:
            return None
        sample = driver_sample(test, inputs, score.segments, list(leading.values()), users)
        if np.ptp(sample.labels) == 0:
            return None
        generator = np.random.default_rng(seed)
        names = [feature["name"] for feature in inputs]
        channels = counts_of_channels(score.segments)
        places = {name: place for place, name in enumerate([*names, *channels])}
        of_group = dict(zip(places, [*(one["group"] for one in inputs), *CHANNEL_GROUPS], strict=False))
        paid = names.index("is_paid") if "is_paid" in names else None
        scores = score(sample.users)
        usual = area_of(scores, sample.labels)

        def fall(of: list[str], deals: int) -> Fall:
            columns = [places[name] for name in of if places[name] < len(names)]
            behind = [places[name] - len(names) for name in of if places[name] >= len(names)]
            falls = []
            for _ in range(deals):
                order = generator.permutation(len(sample.labels))
                changed = score(dealt(sample.users, order, columns, behind, paid))
                falls.append(usual - area_of(changed, sample.labels))
            return {"fall": stored(np.mean(falls)), "least": stored(min(falls)), "most": stored(max(falls))}

        used = {of_group[one["feature"]] for one in ranked}
        groups: list[GroupDriver] = [
            {"group": group, **fall([name for name in of_group if of_group[name] == group], GROUP_DEALS)}
            for group in GROUPS
            if group in used
        ]
        bands = ranges_of(test, tested, leading, sample.values)
        features: list[FeatureDriver] = [
            {
                "feature": name,
                **fall([name], FEATURE_DEALS),
                "correlation": rank_correlation(sample.values[number], scores),
                "bands": bands[number],
            }
            for number, name in enumerate(leading)
        ]
        return {
            "users": len(sample.labels),
            "auc": stored(usual),
            "groups": sorted(groups, key=lambda one: -one["fall"]),
            "features": sorted(features, key=lambda one: -one["fall"]),
        }
  `,
});
