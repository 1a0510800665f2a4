/** DuckDB's types of the raw columns. */
import type { RawType } from '../domain/events.ts';

export const DUCKDB_TYPES: Readonly<Record<RawType, string>> = {
  string: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
};
