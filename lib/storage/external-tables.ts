/** The tables that Glue knows before the first run: the raw log and those kept as JSON lines. Spark makes the Iceberg ones. */
import { RAW_COLUMNS, type RawType } from '../../domain/events.ts';
import { type ColumnType, externalTableFolder, TABLES } from '../../domain/lake.ts';

export interface ExternalTableDefinition {
  readonly name: string;
  readonly description: string;
  /** `s3://bucket/folder/` of its files. */
  readonly location: string;
  readonly columns: readonly ExternalColumn[];
}

export interface ExternalColumn {
  readonly name: string;
  /** Type in Hive's notation. */
  readonly type: string;
  readonly comment: string;
}

const RAW_TABLE = 'raw_events';
const HIVE_TYPES: Readonly<Record<RawType, string>> = {
  string: 'string',
  integer: 'bigint',
  number: 'double',
};

/**
 * @param lakeRoot `s3://bucket` of the lake, without a slash at the end
 * @param eventsRoot `s3://bucket/folder` of the event files, without a slash at the end
 */
export function externalTables(lakeRoot: string, eventsRoot: string): readonly ExternalTableDefinition[] {
  return [
    {
      name: RAW_TABLE,
      description:
        'line as it was delivered (read only); a blank one is a row of nulls: add WHERE page IS NOT NULL',
      location: `${eventsRoot}/`,
      columns: RAW_COLUMNS.map(({ name, type, meaning }) => ({
        name: name.toLowerCase(),
        type: HIVE_TYPES[type],
        comment: meaning,
      })),
    },
    ...TABLES.filter(({ format }) => format === 'json').map((table) => ({
      name: table.name,
      description: table.grain,
      location: `${lakeRoot}/${externalTableFolder(table)}/`,
      columns: table.columns.map((column) => ({
        name: column.name,
        type: hiveType(column.type),
        comment: column.meaning,
      })),
    })),
  ];
}

function hiveType(type: ColumnType): string {
  return type === 'timestamp_ntz' ? 'timestamp' : type;
}
