/** Segments of rows in Spark SQL, made from the numbers that a model holds: the same as numpy computes on the driver. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { segmentType } from './segment-regression.ts';

export const segmentScores = fragment({
  file: import.meta.url,
  needs: [segmentType],
  imports: ['from pyspark.sql import DataFrame', 'from pyspark.sql import functions as F'],
  code: python`
    def sql_sum(terms: list[str]) -> str:
        """A sum of terms; 0 of none."""
        return " + ".join(["0D", *terms])


    def segment_joint(model: SegmentModel) -> list[str]:
        """Log-likelihood of a row with each segment, up to what is the same for all."""
        mixture = model["mixture"]
        joint = []
        for size, rates in zip(mixture["sizes"], mixture["rates"], strict=True):
            terms = [f"ln({size!r}D)"]
            for count, exposure, rate in zip(model["counts"], model["exposures"], rates, strict=True):
                terms.append(f"{count} * ln({rate!r}D) - {exposure} * {rate!r}D")
            joint.append(sql_sum(terms))
        return joint


    def with_segments(rows: DataFrame, model: SegmentModel) -> DataFrame:
        """Adds what the models read of segments: the log-odds of the hazard, and the clipped log posteriors.

        Takes the channels' columns and is_paid. Arithmetic on plain columns, which Spark compiles.
        """
        joint = segment_joint(model)
        numbers = range(len(joint))
        tops = [f"segment_joint_{number}" for number in numbers]
        columns = dict(zip(tops, joint, strict=True))
        rows = rows.withColumns({name: F.expr(sql) for name, sql in columns.items()})
        rows = rows.withColumn("segment_top", F.expr(f"greatest({', '.join([*tops, tops[0]])})"))
        total = sql_sum([f"exp({top} - segment_top)" for top in tops])
        rows = rows.withColumn("segment_total", F.expr(f"segment_top + ln({total})"))
        hazards = [
            f"exp({top} - segment_total) * IF(is_paid = 1, {paid!r}D, {free!r}D)"
            for top, (free, paid) in zip(tops, model["regression"]["hazards"], strict=True)
        ]
        rows = rows.withColumn("segment_hazard", F.expr(sql_sum(hazards)))
        clipped = [f"greatest({top} - segment_total, {LEAST_LOG_POSTERIOR!r}D)" for top in tops]
        inputs = ["ln(segment_hazard / (1 - segment_hazard))", *clipped]
        return rows.withColumn("segment_inputs", F.expr(f"array({', '.join(inputs)})")).drop(
            *tops, "segment_top", "segment_total", "segment_hazard"
        )


    def segment_score(model: SegmentModel, names: list[str]) -> str:
        """Log-odds of the regression as SQL over segment_inputs and the array input_values, whose names are given."""
        regression = model["regression"]
        segments = 1 + len(model["mixture"]["sizes"])
        values = [f"segment_inputs[{index}]" for index in range(segments)]
        plain = {name: f"input_values[{names.index(name)}]" for name in regression["plain"]}
        values += [plain[name] for name in regression["plain"]]
        values += [f"{plain[one]} * {plain[other]}" for one, other in regression["products"]]
        terms = [f"{weight!r}D * {value}" for weight, value in zip(regression["weights"], values, strict=True)]
        return sql_sum([f"{regression['intercept']!r}D", *terms])
  `,
});
