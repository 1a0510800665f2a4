import { describe, expect, test } from 'vitest';
import { LakeDatabase } from '../../../lib/storage/lake-database.ts';
import { alone } from '../../support/construct-alone.ts';

const database = (keep?: boolean) =>
  alone(
    'storage',
    (stack) =>
      new LakeDatabase(stack, 'Database', {
        name: 'churn_dev_0a1b2c3d',
        lakeRoot: 's3://lake',
        ...(keep === undefined ? {} : { keep }),
      }),
  );

describe('the database of the lake', () => {
  test('passes cdk-nag', () => {
    expect(database().findings).toEqual([]);
  });

  test('outlives its stack, but not a first deployment that failed', () => {
    database().template.hasResource('AWS::Glue::Database', {
      Properties: {
        DatabaseInput: {
          Name: 'churn_dev_0a1b2c3d',
          LocationUri: 's3://lake/warehouse/churn_dev_0a1b2c3d',
        },
      },
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('is deleted with its stack where data may be deleted', () => {
    database(false).template.hasResource('AWS::Glue::Database', { DeletionPolicy: 'Delete' });
  });
});
