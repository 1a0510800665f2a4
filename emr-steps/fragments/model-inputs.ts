/** From the columns of the table `features` to the vector that every model reads; the same in training and scoring. */
import { FEATURES } from '../../domain/features/catalogue.ts';
import { CHANNEL_FEATURES } from '../../domain/features/channels.ts';
import { featureDefinition } from '../../domain/features/definition.ts';
import { FEATURE_GROUPS, type Feature } from '../../domain/features/measure.ts';
import { fragment } from '../composition/fragment.ts';
import { type Python, python, pythonLines } from '../composition/python.ts';

/** By group, as the inputs of the models are ordered. */
const features: readonly Feature[] = FEATURE_GROUPS.flatMap(({ name }) =>
  FEATURES.filter((feature) => feature.group === name && feature.readBy === undefined),
);

const entry = ({ name, group, scale, fill }: Feature): Python =>
  python`Feature(name=${name}, group=${group}, scale=${scale}, fill=${fill}),`;

export const featureType = fragment({
  file: import.meta.url,
  imports: ['from typing import Literal, NamedTuple, NotRequired, TypeAlias, TypedDict'],
  constants: python`
    # As it is, or the logarithm of one more than it is.
    Scale: TypeAlias = Literal["linear", "log1p"]
  `,
  code: python`
    class Feature(NamedTuple):
        """A column of features, how it enters a model, and what stands for a missing value."""

        name: str
        group: str
        scale: Scale
        fill: float | Literal["median"]


    class ModelInput(TypedDict):
        """A feature as a model has learnt to read it."""

        name: str
        group: str
        scale: Scale
        fill: float
        median: float
        # Hash of what the feature is computed by; models of older versions lack it.
        definition: NotRequired[str]
  `,
});

/** The catalogue, as models read it (train-models only). */
export const inputCatalogue = fragment({
  file: import.meta.url,
  needs: [featureType],
  constants: python`
    # The feature catalogue.
    CATALOGUE = [
        ${pythonLines(features.map(entry))}
    ]
    # What each column that a model reads is computed by, as a hash.
    DEFINITIONS = ${Object.fromEntries(
      [...features, ...CHANNEL_FEATURES].map((feature) => [feature.name, featureDefinition(feature)]),
    )}
  `,
});

/** Learning the inputs (train-models only). */
export const inputLearning = fragment({
  file: import.meta.url,
  needs: [featureType, inputCatalogue],
  imports: ['from pyspark.sql import DataFrame', 'from pyspark.sql import functions as F'],
  constants: python`
    # Medians are taken from about this many rows, chosen by a hash of the user.
    MEDIAN_ROWS = 20_000
  `,
  code: python`
    def learn_inputs(train: DataFrame, rows: int, excluded: list[str]) -> list[ModelInput]:
        """The models' inputs in order: scale, what stands for a missing value, and the training median."""
        catalogue = [feature for feature in CATALOGUE if feature.name not in excluded]
        share = min(1.0, MEDIAN_ROWS / rows)
        chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
        # One sorted partition: the same medians every time.
        sample = train.where(chosen).repartition(1).sortWithinPartitions("user_id", "cutoff")
        medians_of_all = (F.percentile_approx(feature.name, 0.5).alias(feature.name) for feature in catalogue)
        (medians,) = sample.agg(*medians_of_all).collect()

        def learnt(feature: Feature) -> ModelInput:
            median: float | None = medians[feature.name]
            fill = float((median or 0) if feature.fill == "median" else feature.fill)
            return {
                "name": feature.name,
                "group": feature.group,
                "scale": feature.scale,
                "fill": fill,
                "median": float(fill if median is None else median),
                "definition": DEFINITIONS[feature.name],
            }

        return [learnt(feature) for feature in catalogue]
  `,
});

/** Applying the inputs. */
export const inputVector = fragment({
  file: import.meta.url,
  needs: [featureType],
  imports: ['from pyspark.sql import Column', 'from pyspark.sql import functions as F'],
  constants: python`
    # From these, users are assigned to segments.
    CHANNEL_COLUMNS = ${CHANNEL_FEATURES.map(({ name }) => name)}
  `,
  code: python`
    def segment_source() -> list[Column]:
        """What segments are computed from, beside the inputs: the level, and what the channels have counted."""
        return [F.coalesce(name, F.lit(0.0)).alias(name) for name in ["is_paid", *CHANNEL_COLUMNS]]


    def input_array(inputs: list[ModelInput]) -> Column:
        """The values that the models see, in order: missing ones filled, long tails on a logarithmic scale."""
        filled = [f"coalesce({feature['name']}, {feature['fill']!r}D)" for feature in inputs]
        scaled = [
            f"ln(1 + {value})" if feature["scale"] == "log1p" else value
            for feature, value in zip(inputs, filled, strict=True)
        ]
        return F.expr(f"array({', '.join(scaled)})")
  `,
});
