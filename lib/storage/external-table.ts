/** A table over files with JSON lines. */
import { Aws } from 'aws-cdk-lib';
import { type CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import { Construct } from 'constructs';
import type { ExternalTableDefinition } from './external-tables.ts';

export interface ExternalTableProps {
  readonly definition: ExternalTableDefinition;
  /** The database of the table. */
  readonly database: CfnDatabase;
}

/**
 * The table is deleted with its stack: it holds nothing but its definition, and CloudFormation cannot import a table
 * that was kept.
 */
export class ExternalTable extends Construct {
  constructor(scope: Construct, id: string, { definition, database }: ExternalTableProps) {
    super(scope, id);
    const { name, description, location, columns } = definition;
    new CfnTable(this, 'Default', {
      catalogId: Aws.ACCOUNT_ID,
      databaseName: database.ref,
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
            // A line that is not JSON reads as nulls; ingest quarantines it with its reason.
            parameters: { 'ignore.malformed.json': 'TRUE' },
          },
        },
      },
    });
  }
}
