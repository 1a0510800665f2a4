import { Construct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { ExecutionRole } from '../../../lib/pipeline/execution-role.ts';
import { alone } from '../../support/construct-alone.ts';
import { resourcesOf, storageOf } from '../../support/pipeline-parts.ts';
import { policyDocuments } from '../policies.ts';

describe('the role of the pipeline’s state machine', () => {
  const { template, findings } = alone('pipeline', (stack, given) => {
    const { cluster, functions } = resourcesOf(stack, given);
    new ExecutionRole(new Construct(stack, 'StateMachine'), 'Execution', {
      cluster,
      storage: storageOf(given),
      functions: Object.values(functions).map(({ lambda }) => lambda),
      notifierArn: 'arn:aws:states:eu-central-1:111122223333:stateMachine:churn-dev-notifier',
    });
  });
  const statements = policyDocuments(template)
    .filter(({ type }) => type === 'AWS::IAM::Policy')
    .flatMap(({ document }) => document.Statement);

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('names each statement once, by what it allows', () => {
    expect(statements.map(({ Sid }) => Sid)).toEqual([
      'StartPipelineClusters',
      'TagClustersAtStart',
      'ManagePipelineClusters',
      'SetIdleTermination',
      'CreateEmrCleanupRole',
      'PassClusterRoles',
      'ManageEmrEventRules',
      'RunReconciliationQuery',
      'ReadDataCatalog',
      'ReadDefaultDatabase',
      'ReadTableDefinitions',
      'ReadTableData',
      'WriteQueryResults',
      'ListBuckets',
      'InvokeLambdas',
      'StartNotifier',
      'UseDataKey',
      'WriteLogsAndTraces',
    ]);
  });

  test('starts clusters only with the tags by which they are found again', () => {
    const start = statements.find(({ Sid }) => Sid === 'StartPipelineClusters');
    expect(start?.Condition).toEqual({
      StringEquals: {
        'elasticmapreduce:RequestTag/churn:pipeline': ['churn-dev'],
        'elasticmapreduce:RequestTag/for-use-with-amazon-emr-managed-policies': ['true'],
      },
    });
  });
});
