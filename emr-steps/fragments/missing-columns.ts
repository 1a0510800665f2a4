/** Tables that a former version has created: what they lack is added, never changed or removed. */
import type { Table } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { type Python, python } from '../composition/python.ts';

export const missingColumns = fragment({
  file: import.meta.url,
  imports: ['from collections.abc import Mapping', 'from pyspark.sql import SparkSession'],
  code: python`
    def add_missing_columns(spark: SparkSession, table: str, types: Mapping[str, str]) -> None:
        """Gives the table of an earlier version the columns that it lacks; takes the types of all by name."""
        known = spark.table(table).columns
        for name, column_type in types.items():
            if name not in known:
                spark.sql(f"ALTER TABLE {table} ADD COLUMN {name} {column_type}")
  `,
});

/** The types of a table's columns by name. */
export function columnTypes({ columns }: Table): Python {
  return python`${Object.fromEntries(columns.map(({ name, type }) => [name, type]))}`;
}
