/** The rows from which segments are fitted: a bounded sample of users, chosen by a hash, collected to the driver. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { segmentRegression } from './segment-regression.ts';

export const segmentSample = fragment({
  file: import.meta.url,
  needs: [segmentRegression],
  imports: [
    'import itertools',
    'import numpy as np',
    'from pyspark.ml.functions import vector_to_array',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    SEGMENT_USERS = 20_000
    # Users of long logs have many rows; so many are plenty for a few dozen parameters.
    SEGMENT_ROWS = 150_000
  `,
  code: python`
    def segment_rows(rows: DataFrame, names: list[str], users: int, train_rows: int) -> SegmentRows:
        """The training rows of the sample, in order of user and cutoff; takes prepared rows and the inputs' names."""
        share = min(1.0, SEGMENT_USERS / max(users, 1), SEGMENT_ROWS / max(train_rows, 1))
        chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
        plain = [name for name in SEGMENT_PLAIN_INPUTS if name in names]
        columns = list(dict.fromkeys(itertools.chain(*CHANNEL_COUNTS.values(), *CHANNEL_EXPOSURES.values())))
        inputs = vector_to_array(F.col("features"))
        collected = (
            rows.where("role = 'train'")
            .where(chosen)
            .select(
                "user_id",
                "cutoff",
                F.col("fold").cast("double").alias("fold"),
                F.array(
                    "label",
                    "is_paid",
                    *(inputs[names.index(name)] for name in plain),
                    *(F.col(column) for column in columns),
                ).alias("values"),
            )
            .toPandas()
            .sort_values(["user_id", "cutoff"])
        )
        values = np.array(collected["values"].tolist(), dtype=float).reshape(-1, 2 + len(plain) + len(columns))
        place = {column: values[:, 2 + len(plain) + index] for index, column in enumerate(columns)}

        def columns_of(chosen_columns: list[str]) -> Numbers:
            return np.column_stack([place[column] for column in chosen_columns])

        return SegmentRows(
            users=np.unique(collected["user_id"].to_numpy(), return_inverse=True)[1],
            folds=collected["fold"].to_numpy(dtype=np.int64),
            labels=values[:, 0],
            is_paid=values[:, 1],
            plain={name: values[:, 2 + index] for index, name in enumerate(plain)},
            channels={
                half_life: ChannelCounts(
                    columns_of(CHANNEL_COUNTS[half_life]), columns_of(CHANNEL_EXPOSURES[half_life])
                )
                for half_life in HALF_LIVES
            },
        )
  `,
});
