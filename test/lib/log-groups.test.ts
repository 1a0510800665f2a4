import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { PipelineLogGroup } from '../../lib/log-groups.ts';
import { alone } from '../support/construct-alone.ts';

const { template, findings } = alone('network', (stack, { configuration, key }) => {
  new PipelineLogGroup(stack, 'FlowLogs', { configuration, key, name: '/churn-dev/network' });
});

test('a log group passes cdk-nag', () => {
  expect(findings).toEqual([]);
});

test('a log group is under the key, for the configured time, and is deleted with its stack', () => {
  template.hasResource('AWS::Logs::LogGroup', {
    Properties: {
      LogGroupName: '/churn-dev/network',
      KmsKeyId: Match.stringLikeRegexp('key/data$'),
      RetentionInDays: 30,
    },
    DeletionPolicy: 'Delete',
  });
});
