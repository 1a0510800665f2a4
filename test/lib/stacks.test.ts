import { expect, test } from 'vitest';
import { FUNCTION_NAMES } from '../../domain/operations.ts';
import { allStatements } from './policies.ts';
import { configuration, resources, STACKS, template } from './resources.ts';

test('in dev, where there is no schedule, no alarm waits for a successful run', () => {
  const names = resources('monitoring', 'AWS::CloudWatch::Alarm').map(
    ([, { Properties }]) => Properties?.AlarmName,
  );
  expect(names).toContain('churn-dev-run-failed');
  expect(names).not.toContain('churn-dev-no-successful-run');
});

test('no role may pass a role to any service', () => {
  const passing = STACKS.flatMap((stack) => allStatements(template(stack))).filter(({ actions }) =>
    actions.includes('iam:PassRole'),
  );
  expect(passing.map(({ policy, conditioned }) => [policy, conditioned])).toEqual([
    ['ServiceRoleDefaultPolicy', true],
    ['StateMachineExecutionPolicy', true],
  ]);
});

test('every log group is under the customer key and is not kept for ever', () => {
  for (const stack of STACKS) {
    for (const [id, { Properties }] of resources(stack, 'AWS::Logs::LogGroup')) {
      expect(Properties, id).toMatchObject({ KmsKeyId: expect.anything(), RetentionInDays: 30 });
    }
  }
});

test('no log group is left over to block the next deployment', () => {
  const groups = STACKS.flatMap((stack) => resources(stack, 'AWS::Logs::LogGroup'));
  // The network's, and one of each state machine.
  expect(groups).toHaveLength(FUNCTION_NAMES.length + 3);
  for (const [id, { DeletionPolicy }] of groups) expect(DeletionPolicy, id).toBe('Delete');
});

test.each([
  ['storage', 'AWS::S3::Bucket'],
  ['network', 'AWS::EC2::VPC'],
  ['compute', 'AWS::IAM::Role'],
  ['pipeline', 'AWS::StepFunctions::StateMachine'],
] as const)('what stack %s makes (%s) says which pipeline it belongs to', (stack, type) => {
  for (const [id, { Properties }] of resources(stack, type)) {
    expect(Properties?.Tags, id).toContainEqual({ Key: 'churn:pipeline', Value: configuration.prefix });
  }
});
