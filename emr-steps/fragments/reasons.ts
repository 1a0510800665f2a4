/**
 * A user's reasons: by how much the raw score falls when one value returns to what is typical of the users of the level.
 * The same for every kind of model: it scores each user again, once for each value that is not typical. For segments the
 * count of a channel returns to its typical rate, and the posteriors are computed from it.
 */
import { PLURAL, REASON_WORDS, UNKNOWN } from '../../domain/features/reason-words.ts';
import { LEAST_REASON, MOST_REASONS } from '../../domain/models.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { candidateType, scoring } from './candidates.ts';
import { rowsAsSource } from './jvm.ts';
import { modelDescription } from './model-description.ts';
import { sqlText } from './sql.ts';
import { typicalValues } from './typical-values.ts';

/** A number as people read it: three digits, none behind a whole number, thousands apart. */
function shown(value: string): string {
  return `IF(
  ${value} = ROUND(${value}),
  FORMAT_NUMBER(${value}, 0),
  TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM
    FORMAT_NUMBER(${value}, GREATEST(1, LEAST(6, 2 - INT(FLOOR(LOG10(ABS(${value})))))))
  ))
)`;
}

function answered(value: string): string {
  return `CASE ${value} WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE absent END`;
}

/** From value, typical value and words to a reason in words. */
const TEXT = `
CASE
  WHEN amount = 'yes or no' THEN CONCAT(
    label, ': ', ${answered('value')},
    ', typically ', ${answered('typical')}
  )
  WHEN value IS NULL THEN CONCAT(label, ': ', absent, ', typically ', COALESCE(typical_text, absent))
  ELSE CONCAT(
    value_text, ' ', REPLACE(amount, '${PLURAL}', IF(value_text = '1', '', 's')), ', ',
    CASE
      WHEN value_text = typical_text AND value > typical THEN 'a little more than typical'
      WHEN value_text = typical_text THEN 'a little less than typical'
      ELSE CONCAT('typically ', COALESCE(typical_text, absent))
    END
  )
END`.trim();

const DETAIL = `
TO_JSON(
  NAMED_STRUCT(
    'text', text, 'feature', feature, 'group', group, 'value', value, 'typical', typical,
    'direction', CASE WHEN value > typical THEN 'above' WHEN value < typical THEN 'below' END,
    'change', change
  ),
  MAP('ignoreNullFields', 'false')
)`.trim();

/** Of the strongest first, the first of each group. */
const BEST = `SLICE(FILTER(found, (one, at) -> NOT EXISTS(SLICE(found, 1, at), other -> other.group = one.group)), 1, ${MOST_REASONS})`;

/** One line a feature: its words, apart. */
const APART = '|';
const WORDS = Object.entries(REASON_WORDS)
  .map(([name, { label, amount, absent }]) =>
    [name, label, amount, ...(absent === UNKNOWN ? [] : [absent])].join(APART),
  )
  .join('\n');

const words = fragment({
  file: import.meta.url,
  constants: python`UNKNOWN = ${UNKNOWN}`,
  code: python`
    def read_words(table: str) -> dict[str, list[str]]:
        """The words of each feature by its name."""
        rows = (line.strip().split(${APART}) for line in table.strip().splitlines())
        return {name: [label, amount, *(absent or [UNKNOWN])] for name, label, amount, *absent in rows}
  `,
});

export const reasons = fragment({
  file: import.meta.url,
  needs: [words, candidateType, modelDescription, rowsAsSource, scoring, typicalValues],
  imports: [
    'from pyspark.ml import classification',
    'from pyspark.ml.functions import array_to_vector',
    'from pyspark.sql import Column, DataFrame',
    'from pyspark.sql import functions as F',
    'from xgboost.spark import SparkXGBClassifierModel',
  ],
  constants: python`
    LEAST_REASON = ${LEAST_REASON}
    # By name: what is before a colon|after a number|instead of a missing value, where that is not unknown.
    WORDS = read_words(
        ${sqlText(WORDS)}
    )

    VALUE_TEXT = ${sqlText(shown('value'))}

    TYPICAL_TEXT = ${sqlText(shown('typical'))}

    REASON_TEXT = ${sqlText(TEXT)}

    REASON_DETAIL = ${sqlText(DETAIL)}

    BEST_REASONS = ${BEST}
  `,
  code: python`
    def numbers_used(description: ModelDescription, model: CandidateModel | None) -> list[int]:
        """The inputs that the model looks at, and behind all inputs the channels, by their numbers."""
        inputs = len(description["inputs"])
        used = set(range(inputs))
        if isinstance(model, SparkXGBClassifierModel):
            splits = model.get_booster().get_score(importance_type="weight")
            used = {int(name.removeprefix("f")) for name in splits} & used
        elif isinstance(model, classification.RandomForestClassificationModel):
            used = {index for index, share in enumerate(model.featureImportances.toArray().tolist()) if share > 0}
        segments = description.get("segments")
        if segments is not None:
            plain = segments["regression"]["plain"]
            used |= {index for index, one in enumerate(description["inputs"]) if one["name"] in plain}
            used |= {inputs + channel for channel in range(len(segments["counts"]))}
        return sorted(used)


    def with_one_typical(
        users: DataFrame, typical: Typical, used: list[int], inputs: int, segments: SegmentModel | None
    ) -> DataFrame:
        """Each user once for each value that is not typical, with that value as is typical of the level."""
        rates = [F.expr(rate) for rate in channel_rates(segments)]
        usual = F.lit(typical.read).cast("array<array<double>>")
        rows = users.withColumn("own", F.concat("inputs", F.array(*rates)) if rates else F.col("inputs"))
        rows = rows.withColumn("usual", usual[F.col("level")])
        differing = F.filter(F.lit(used), lambda number: F.col("own")[number] != F.col("usual")[number])
        rows = rows.withColumn("number", F.explode(differing))
        number, returned = F.col("number"), F.col("usual")[F.col("number")]
        others = F.slice("inputs", F.lit(1), number), F.slice("inputs", number + 2, F.lit(inputs))
        read = F.when(number < inputs, F.concat(others[0], F.array(returned), others[1]))
        rows = rows.withColumn("features", array_to_vector(read.otherwise(F.col("inputs"))))
        if segments is not None:
            for channel, (count, exposure) in enumerate(
                zip(segments["counts"], segments["exposures"], strict=True), start=inputs
            ):
                expected = F.when(number == channel, F.col(exposure) * returned)
                rows = rows.withColumn(count, expected.otherwise(F.col(count)))
        return rows


    def in_words(rows: DataFrame, typical: Typical) -> DataFrame:
        """Adds to what has changed a score: the feature, its value, the typical one, and both in words."""
        words = [WORDS.get(name, [name, name, UNKNOWN]) for name in typical.names]
        number = F.col("number")

        def looked_up(entries: list[str]) -> Column:
            return F.lit(entries)[number]

        named = rows.withColumns(
            {
                "feature": looked_up(typical.names),
                "group": looked_up(typical.groups),
                "typical": F.lit(typical.values).cast("array<array<double>>")[F.col("level")][number],
                "value": F.col("values")[number],
                **{
                    part: looked_up([entry[place] for entry in words])
                    for place, part in enumerate(["label", "amount", "absent"])
                },
            }
        )
        texts = {"value_text": F.expr(VALUE_TEXT), "typical_text": F.expr(TYPICAL_TEXT)}
        return named.withColumns(texts).withColumn("text", F.expr(REASON_TEXT))


    def reasons_of(
        users: DataFrame, description: ModelDescription, model: CandidateModel | None, typical: Typical
    ) -> DataFrame:
        """The reasons of users for whom something stands out: user_id, reasons, reason_details.

        @param users user_id, level, own_score, inputs, values (of the inputs and the channels), and what segments need
        """
        inputs, segments = description["inputs"], description.get("segments")
        # Of trees without a split any input will do: no score changes.
        used = numbers_used(description, model) or [0]
        variants = with_one_typical(users, typical, used, len(inputs), segments)
        names = [feature["name"] for feature in inputs]
        scored = as_source(with_raw_score(description["kind"], model, as_source(variants), segments, names))
        change = F.round(F.col("own_score") - F.col("raw_score"), SCORE_DECIMALS)
        raising = scored.withColumn("change", change).where(F.col("change") >= LEAST_REASON)
        # The strongest first; of equal ones, the first of the catalogue.
        order = (-F.col("number")).alias("before")
        worded = in_words(raising, typical).withColumn("detail", F.expr(REASON_DETAIL))
        worded = worded.select("user_id", F.struct("change", order, "group", "text", "detail").alias("reason"))
        found = worded.groupBy("user_id").agg(F.sort_array(F.collect_list("reason"), asc=False).alias("found"))
        return found.withColumn("best", F.expr(BEST_REASONS)).selectExpr(
            "user_id",
            "TRANSFORM(best, one -> one.text) AS reasons",
            "CONCAT('[', ARRAY_JOIN(TRANSFORM(best, one -> one.detail), ','), ']') AS reason_details",
        )
  `,
});
