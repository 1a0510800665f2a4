import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { PipelineMachine } from '../../../lib/pipeline/pipeline-machine.ts';
import { alone } from '../../support/construct-alone.ts';
import { resourcesOf, storageOf } from '../../support/pipeline-parts.ts';
import { allStatements } from '../policies.ts';

describe('the state machine of the pipeline', () => {
  const { template, findings } = alone('pipeline', (stack, given) => {
    new PipelineMachine(stack, 'StateMachine', {
      name: 'churn-dev',
      resources: resourcesOf(stack, given),
      storage: storageOf(given),
      logGroup: given.logGroup('/aws/vendedlogs/states/churn-dev'),
    });
  });
  const statements = allStatements(template);
  const statementOn = (action: string) => statements.filter(({ actions }) => actions.includes(action));

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('has a fixed name, logs everything, and is made after its policy', () => {
    template.hasResource('AWS::StepFunctions::StateMachine', {
      Properties: {
        StateMachineName: 'churn-dev',
        LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
        TracingConfiguration: { Enabled: true },
      },
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('^StateMachineExecutionPolicy')]),
    });
  });

  test('has one policy: what CDK would add for its tasks reaches every cluster and table', () => {
    template.resourceCountIs('AWS::IAM::Policy', 1);
  });

  test.each([
    'elasticmapreduce:RunJobFlow',
    'elasticmapreduce:TerminateJobFlows',
    'elasticmapreduce:AddJobFlowSteps',
  ])('%s is limited to clusters with the tag of this pipeline', (action) => {
    expect(statementOn(action)).toMatchObject([{ conditioned: true }]);
  });

  test.each([
    ['lambda:InvokeFunction', /:function:churn-dev-[a-z-]+:\*$/],
    ['states:StartExecution', /:stateMachine:churn-dev-notifier$/],
    ['iam:PassRole', /:role\/(service|instances)$/],
    ['athena:StartQueryExecution', /:workgroup\/churn-dev$/],
    ['events:PutRule', /:rule\/StepFunctionsGetEventForEMR\w+Rule$/],
    ['s3:PutObject', /:s3:::QueryResults\/\*$/],
  ])('%s reaches only what belongs to this deployment', (action, resource) => {
    const found = statementOn(action).flatMap(({ resources }) => resources);
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect(each).toMatch(resource);
  });
});
