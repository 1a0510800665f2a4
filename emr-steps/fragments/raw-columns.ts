/** The columns of the raw log as Spark parses them. */
import { PERSONAL_COLUMNS, RAW_COLUMNS, type RawColumnName, type RawType } from '../../domain/events.ts';

const SPARK_TYPES: Record<RawType, string> = { string: 'string', integer: 'bigint', number: 'double' };

/** Column of a line that Spark could not read whole. */
export const UNREADABLE = 'unreadable';

const COLUMNS = RAW_COLUMNS.filter((column) => !PERSONAL_COLUMNS.includes(column.name));

/** Columns that are read: all but those that name a person. */
export const READ_COLUMNS: readonly string[] = COLUMNS.map((column) => column.name);

/** Their schema in Spark SQL, one column a line. */
export const RAW_SCHEMA = [
  ...COLUMNS.map((column) => `${column.name} ${SPARK_TYPES[column.type]}`),
  `${UNREADABLE} string`,
].join(',\n');

/** Columns of text. */
export const TEXT_COLUMNS: readonly string[] = COLUMNS.filter(({ type }) => type === 'string').map(
  ({ name }) => name,
);

/** A column as it was parsed: all of them stay in one struct, which Spark then copies as a whole. */
export const parsed = (name: RawColumnName | typeof UNREADABLE): string => `raw.${name}`;
