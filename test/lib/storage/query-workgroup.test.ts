import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { NAMED_QUERIES } from '../../../domain/named-queries.ts';
import { QueryWorkgroup } from '../../../lib/storage/query-workgroup.ts';
import { alone } from '../../support/construct-alone.ts';

describe('the workgroup', () => {
  const { template, findings } = alone(
    'storage',
    (stack, { key, bucket }) =>
      new QueryWorkgroup(stack, 'Workgroup', {
        name: 'churn-dev',
        databaseName: 'churn_dev_0a1b2c3d',
        resultsBucket: bucket('QueryResults'),
        key,
        scanLimitGiB: 3,
        queries: NAMED_QUERIES,
      }),
  );

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('encrypts and limits every query, which cannot choose otherwise', () => {
    template.hasResourceProperties('AWS::Athena::WorkGroup', {
      Name: 'churn-dev',
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 3 * 1_073_741_824,
        ResultConfiguration: {
          OutputLocation: 's3://QueryResults/',
          EncryptionConfiguration: {
            EncryptionOption: 'SSE_KMS',
            KmsKey: Match.stringLikeRegexp('key/data$'),
          },
        },
      },
    });
  });

  test('can be deleted although it has a history of queries', () => {
    template.hasResourceProperties('AWS::Athena::WorkGroup', { RecursiveDeleteOption: true });
  });

  test.each(NAMED_QUERIES.map(({ name, sql }) => [name, sql]))('offers the saved query %s', (name, sql) => {
    template.hasResource('AWS::Athena::NamedQuery', {
      Properties: {
        Name: `churn-dev-${name}`,
        QueryString: sql,
        WorkGroup: 'churn-dev',
        Database: 'churn_dev_0a1b2c3d',
      },
      DependsOn: ['Workgroup'],
    });
  });
});
