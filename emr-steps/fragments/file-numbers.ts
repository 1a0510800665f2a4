/** The files of a batch as numbers: a row carries a small one through the shuffle instead of a long name. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { hadoopFiles } from './jvm.ts';
import { planTypes } from './types.ts';

export const fileNumbers = fragment({
  file: import.meta.url,
  needs: [hadoopFiles, planTypes],
  imports: [
    'import json',
    'from pyspark.sql import Column, DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  code: python`
    def number_files(batch: Batch) -> dict[int, str]:
        """The batch's files, numbered in the order of their names."""
        return dict(enumerate(sorted(file["uri"] for file in batch["files"])))


    def numbered_paths(spark: SparkSession, files: dict[int, str]) -> DataFrame:
        """The number of each file, by its path as Spark reports it; Spark makes it from a literal sooner than from rows."""
        known = [{"file_path": path_of_rows(spark, uri), "file_number": number} for number, uri in files.items()]
        rows = F.from_json(F.lit(json.dumps(known)), "ARRAY<STRUCT<file_path: STRING, file_number: INT>>")
        return spark.sql("SELECT 1").select(F.inline(rows))


    def names_by_number(files: dict[int, str]) -> Column:
        """The name of a row's file: looked up where it is stored, so that no shuffle carries it."""
        names = F.array(*[F.lit(files.get(number)) for number in range(max(files) + 1)])
        return names[F.col("file_number")].alias("source_file")
  `,
});
