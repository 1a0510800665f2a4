import { expect, test } from 'vitest';
import { WATCHED_SINCE } from '../../../domain/lake-objects.ts';
import { synthesize } from '../../support/synthesize.ts';
import { allStatements } from '../policies.ts';

const statements = allStatements(synthesize().template('pipeline'));

test('close-run, and no other Lambda, may mark when it began to watch', () => {
  const writers = statements
    .filter(({ actions }) => actions.includes('s3:PutObject'))
    .filter(({ resources }) => resources.some((resource) => resource.endsWith(`/${WATCHED_SINCE.key}`)))
    .map(({ policy }) => policy);
  expect(writers).toEqual([expect.stringContaining('closerun')]);
});

test('start-training, and no other Lambda, may ask what the account allows and has', () => {
  const allowed = (action: string) => statements.filter(({ actions }) => actions.includes(action));
  for (const action of ['servicequotas:GetServiceQuota', 'ec2:DescribeInstances', 'iam:GetRole']) {
    expect(allowed(action).map(({ policy }) => policy)).toEqual([expect.stringContaining('starttraining')]);
  }
  expect(allowed('iam:GetRole').flatMap(({ resources }) => resources)).toEqual([
    expect.stringMatching(/role\/aws-service-role\/elasticmapreduce\..*\/AWSServiceRoleForEMRCleanup$/),
    expect.stringMatching(/role\/aws-service-role\/spot\..*\/AWSServiceRoleForEC2Spot$/),
  ]);
});
