/** The tables that Glue knows before the first run: the raw log and those kept as JSON lines. Spark makes the Iceberg ones. */
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { Construct } from 'constructs';
import { RAW_COLUMNS, type RawType } from '../../domain/events.ts';
import { type ColumnType, DATABASE, externalTableFolder, TABLES, WAREHOUSE } from '../../domain/lake.ts';

const RAW_TABLE = 'raw_events';
const ATHENA_TYPE: Readonly<Record<RawType, string>> = {
  string: 'string',
  integer: 'bigint',
  number: 'double',
};

export interface LakeCatalogProps {
  /** `s3://bucket` of the lake, without a slash at the end. */
  readonly lakeRoot: string;
  /** `s3://bucket/folder` of the event files, without a slash at the end. */
  readonly eventsRoot: string;
  /** Whether the database outlives its stack, as the data does. */
  readonly keep: boolean;
}

/**
 * Makes the database and its external tables. Glue deletes a database with every table in it, and Spark's tables are
 * nothing but a pointer in Glue to their newest metadata: so the database is kept with the data. Its name is fixed:
 * what a first deployment that failed has made must not stand in the way of the next. The external tables go with
 * their stack: they hold nothing but what is written here, and CloudFormation cannot import a table that was kept.
 */
export function lakeCatalog(scope: Construct, { lakeRoot, eventsRoot, keep }: LakeCatalogProps): CfnDatabase {
  const database = new CfnDatabase(scope, 'Database', {
    catalogId: Aws.ACCOUNT_ID,
    databaseInput: {
      name: DATABASE,
      description: 'Churn pipeline: events, features, scores, models and runs',
      locationUri: `${lakeRoot}/${WAREHOUSE}/${DATABASE}`,
    },
  });
  database.applyRemovalPolicy(keep ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY);
  const tables: readonly ExternalTable[] = [
    {
      name: RAW_TABLE,
      description: 'event as it was delivered (read only)',
      location: `${eventsRoot}/`,
      columns: RAW_COLUMNS.map(({ name, type, meaning }) => ({
        name: name.toLowerCase(),
        type: ATHENA_TYPE[type],
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
  for (const table of tables) externalTable(scope, table).addResourceDependency(database);
  return database;
}

interface ExternalTable {
  readonly name: string;
  readonly description: string;
  readonly location: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly comment: string }[];
}

function externalTable(scope: Construct, { name, description, location, columns }: ExternalTable): CfnTable {
  return new CfnTable(scope, `Table-${name}`, {
    catalogId: Aws.ACCOUNT_ID,
    databaseName: DATABASE,
    tableInput: {
      name,
      description,
      tableType: 'EXTERNAL_TABLE',
      parameters: { classification: 'json', EXTERNAL: 'TRUE' },
      storageDescriptor: {
        columns: [...columns],
        location,
        inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
        outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
        serdeInfo: {
          serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
          // A line that is no JSON reads as nulls; ingest quarantines it with its reason.
          parameters: { 'ignore.malformed.json': 'TRUE' },
        },
      },
    },
  });
}

function hiveType(type: ColumnType): string {
  return type === 'timestamp_ntz' ? 'timestamp' : type;
}
