/** From the columns of the table `features` to the vector that every model reads; the same in training and scoring. */
import { FEATURES } from '../../domain/features/catalogue.ts';
import { FEATURE_GROUPS } from '../../domain/features/measure.ts';
import { type Python, python } from '../python.ts';

const groups = Object.fromEntries(
  FEATURE_GROUPS.map(({ name }) => [
    name,
    FEATURES.filter((feature) => feature.group === name).map((feature) => feature.name),
  ]),
);
const linear = FEATURES.filter((feature) => feature.scale === 'linear').map((feature) => feature.name);
const medianFilled = FEATURES.filter((feature) => feature.fill === 'median').map((feature) => feature.name);
const fixedFills = Object.fromEntries(
  FEATURES.flatMap(({ name, fill }) => (fill === 'median' || fill === 0 ? [] : [[name, fill]])),
);

/** Learning the inputs (train-models only): what the catalogue says, and what stands for missing values. */
export const inputLearning: Python = python`
  # From the feature catalogue: features by group.
  GROUPS = ${groups}
  # Features that enter as they are; all others as the logarithm of one more than they are.
  LINEAR = ${linear}
  # What stands for a missing value, where it is not 0.
  FILLED_WITH_MEDIAN = ${medianFilled}
  FILLED_WITH = ${fixedFills}
  # Medians are taken from about this many rows, chosen by a hash of the user.
  MEDIAN_ROWS = 20_000


  def learn_inputs(train: DataFrame, rows: int) -> list[dict]:
      """The models' inputs in order: scale, what stands for a missing value, and the training median."""
      names = [name for features in GROUPS.values() for name in features]
      share = min(1.0, MEDIAN_ROWS / rows)
      chosen = functions.pmod(functions.xxhash64("user_id"), functions.lit(1_000_000)) < share * 1_000_000
      # One sorted partition: the same medians every time.
      sample = train.where(chosen).repartition(1).sortWithinPartitions("user_id", "cutoff")
      medians = sample.agg(*(functions.percentile_approx(name, 0.5).alias(name) for name in names)).first()

      def fill(name: str) -> float:
          fixed = medians[name] if name in FILLED_WITH_MEDIAN else FILLED_WITH.get(name, 0)
          return float(fixed or 0)

      return [
          {
              "name": name,
              "group": group,
              "scale": "linear" if name in LINEAR else "log1p",
              "fill": fill(name),
              "median": float(fill(name) if medians[name] is None else medians[name]),
          }
          for group, features in GROUPS.items()
          for name in features
      ]
`;

/** Applying the inputs. */
export const inputVector: Python = python`
  def input_array(inputs: list[dict]) -> Column:
      """The values that the models see, in order: missing ones filled, long tails on a logarithmic scale."""
      filled = [f"coalesce({feature['name']}, {feature['fill']!r}D)" for feature in inputs]
      scaled = [
          f"ln(1 + {value})" if feature["scale"] == "log1p" else value
          for feature, value in zip(inputs, filled, strict=True)
      ]
      return functions.expr(f"array({', '.join(scaled)})")
`;
