import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { ExternalTable } from '../../../lib/storage/external-table.ts';
import { externalTables } from '../../../lib/storage/external-tables.ts';
import { LakeDatabase } from '../../../lib/storage/lake-database.ts';
import { alone } from '../../support/construct-alone.ts';

describe('an external table', () => {
  const { template, findings } = alone('storage', (stack) => {
    const { database } = new LakeDatabase(stack, 'Database', { name: 'churn', lakeRoot: 's3://lake' });
    for (const definition of externalTables('s3://lake', 's3://raw/events'))
      new ExternalTable(stack, `Table-${definition.name}`, { definition, database });
  });

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('is deleted with its stack, which could not import it again, and is made after the database', () => {
    const tables = Object.entries(template.findResources('AWS::Glue::Table'));
    expect(tables.length).toBeGreaterThan(1);
    for (const [id, table] of tables) {
      expect(table.DeletionPolicy, id).toBeUndefined();
      // The reference makes CloudFormation wait for the database.
      expect(table.Properties.DatabaseName, id).toEqual({ Ref: 'Database' });
    }
  });

  test.each([
    ['raw_events', 's3://raw/events/'],
    ['runs', 's3://lake/tables/runs/'],
  ])('%s reads JSON lines at %s, and malformed ones as nulls', (name, location) => {
    template.hasResourceProperties('AWS::Glue::Table', {
      DatabaseName: { Ref: 'Database' },
      TableInput: {
        Name: name,
        TableType: 'EXTERNAL_TABLE',
        StorageDescriptor: {
          Location: location,
          SerdeInfo: { Parameters: { 'ignore.malformed.json': 'TRUE' } },
        },
      },
    });
  });

  test('raw_events has the columns of the log in lower case, with types of Hive', () => {
    template.hasResourceProperties('AWS::Glue::Table', {
      TableInput: {
        Name: 'raw_events',
        StorageDescriptor: {
          Columns: Match.arrayWith([
            Match.objectLike({ Name: 'ts', Type: 'bigint' }),
            Match.objectLike({ Name: 'userid', Type: 'string' }),
          ]),
        },
      },
    });
  });
});
