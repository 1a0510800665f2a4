/** The test users in parts, and how a model did on each: counts only, from which the domain makes figures with intervals. */
import { UNKNOWN } from '../../domain/exploration.ts';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { SLICE_VARIABLES, type SliceVariable } from '../../domain/slices.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { calibrationType } from './model-description.ts';
import { inputVector } from './model-inputs.ts';
import { segmentScores } from './segment-scores.ts';
import { sqlText } from './sql.ts';
import { storedFigures } from './stored-figures.ts';
import { sqlString } from './tables.ts';
import { trainingTypes } from './types.ts';

const variables: readonly SliceVariable[] = SLICE_VARIABLES;
const byColumns = variables.filter(({ values }) => values.length > 0);
const strange = byColumns
  .flatMap(({ values }) => values.map(({ column }) => column))
  .filter((column) => !FEATURES.some(({ name }) => name === column));
if (strange.length > 0) throw new Error(`features has no column ${strange.join(', ')}: correct slices.ts`);

const caseOf = ({ values }: SliceVariable): string =>
  [
    'CASE',
    ...values.map(({ value, column, least }) => `  WHEN ${column} >= ${least} THEN ${sqlString(value)}`),
    `  ELSE ${sqlString(UNKNOWN)}`,
    'END',
  ].join('\n');

/** In the number of the segment whose posterior is the highest; behind the hazard, segment_inputs holds their logarithms. */
const SEGMENT =
  'STRING(ARRAY_POSITION(SLICE(segment_inputs, 2, {segments}), ARRAY_MAX(SLICE(segment_inputs, 2, {segments}))))';

const PARTS = `STACK(
  ${variables.length},
  ${variables.map(({ name }) => `${sqlString(name)}, slice_${name}`).join(',\n  ')}
) AS (variable, value)`;

/** What is measured on slices. */
export const testedModel = fragment({
  file: import.meta.url,
  needs: [calibrationType],
  imports: ['from typing import NamedTuple', 'from pyspark.sql import DataFrame'],
  code: python`
    class TestedModel(NamedTuple):
        """A model's scores of the test rows (user_id, label, raw_score), and what makes them probabilities."""

        scores: DataFrame
        calibration: Calibration
  `,
});

export const slices = fragment({
  file: import.meta.url,
  needs: [trainingTypes, testedModel, inputVector, segmentScores, storedFigures],
  imports: [
    'import functools',
    'from pyspark.sql import DataFrame, Window',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # By variable; the first value that holds counts.
    SLICES = {
        ${byColumns.map((variable) => python`${variable.name}: ${sqlText(caseOf(variable))},`)}
    }

    SLICE_OF_SEGMENT = ${SEGMENT}

    SLICE_PARTS = ${sqlText(PARTS)}
  `,
  code: python`
    def sliced_users(test: DataFrame, segments: SegmentModel | None) -> DataFrame:
        """The test users with their value of each variable; takes rows of features."""
        values = {f"slice_{name}": F.expr(sql) for name, sql in SLICES.items()}
        users = test.select("user_id", *(value.alias(name) for name, value in values.items()), *segment_source())
        segment = F.lit(None).cast("string")
        if segments is not None:
            users = with_segments(users, segments)
            segment = F.expr(SLICE_OF_SEGMENT.format(segments=len(segments["mixture"]["sizes"])))
        return users.select("user_id", *values, segment.alias("slice_segment"))


    def sliced(
        test: DataFrame, models: dict[SlicedModel, TestedModel], segments: SegmentModel | None
    ) -> list[Slice]:
        """How each model did on each part of the test users: exact counts and areas, in one job.

        @param test rows of features at the test cutoff
        @param segments by which users are assigned to segments; without them, nobody is
        """
        if not models:
            return []

        def scores_of(name: SlicedModel) -> DataFrame:
            model = models[name]
            log_odds = F.col("raw_score") * model.calibration["slope"] + model.calibration["intercept"]
            # Sums of decimals do not depend on the order in which tasks finish.
            probability = (1 / (1 + F.exp(-log_odds))).cast("decimal(20,9)")
            return model.scores.select(
                F.lit(name).alias("model"), "user_id", "label", "raw_score", probability.alias("probability")
            )

        scores = functools.reduce(DataFrame.union, [scores_of(name) for name in models])
        parts = scores.join(sliced_users(test, segments), "user_id").select(
            "model", "label", "raw_score", "probability", F.expr(SLICE_PARTS)
        )
        by_score = (
            parts.where("value IS NOT NULL")
            .groupBy("model", "variable", "value", "raw_score")
            .agg(
                F.count(F.lit(1)).alias("users"),
                F.sum("label").alias("cancelled"),
                F.sum("probability").alias("predicted"),
            )
        )
        upwards = Window.partitionBy("model", "variable", "value").orderBy("raw_score")
        stayed = F.col("users") - F.col("cancelled")
        # Of pairs of one who cancelled and one who stayed, those in order; ties count half.
        in_order = F.col("cancelled") * (F.sum(stayed).over(upwards) - stayed / 2)
        rows = (
            by_score.withColumn("in_order", in_order)
            .groupBy("model", "variable", "value")
            .agg(*(F.sum(name).alias(name) for name in ["users", "cancelled", "predicted", "in_order"]))
            .orderBy("model", "variable", "value")
            .collect()
        )

        def area(pairs: float, in_order: float) -> float | None:
            return stored(in_order / pairs) if pairs else None

        return [
            {
                "model": row["model"],
                "variable": row["variable"],
                "value": row["value"],
                "users": row["users"],
                "cancelled": int(row["cancelled"]),
                "predicted": stored(row["predicted"]),
                "auc": area(row["cancelled"] * (row["users"] - row["cancelled"]), row["in_order"]),
            }
            for row in rows
        ]
  `,
});
