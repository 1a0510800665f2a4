import { describe, expect, test } from 'vitest';
import { STEP_NAMES, type StepName } from '../../../domain/run.ts';
import { InstanceRole } from '../../../lib/compute/instance-role.ts';
import { StepScripts } from '../../../lib/compute/step-scripts.ts';
import { alone } from '../../support/construct-alone.ts';
import { allActions, flatten } from '../policies.ts';

describe('the scripts of the steps', () => {
  const uris = new Map<StepName, string>();
  const { template, findings } = alone('compute', (stack, { key, bucket }) => {
    const reader = new InstanceRole(stack, 'InstanceRole', {
      key,
      rawBucket: bucket('RawEvents'),
      lakeBucket: bucket('Lake'),
      logBucket: bucket('ClusterLogs'),
      databaseName: 'churn_dev_0a1b2c3d',
      rawPrefix: 'events',
    });
    const { scripts } = new StepScripts(stack, 'Scripts', { reader });
    for (const name of STEP_NAMES) uris.set(name, flatten(stack.resolve(scripts[name].scriptUri)));
  });

  test('pass cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test.each(STEP_NAMES)('%s is uploaded under its hash', (name) => {
    const uri = uris.get(name) ?? '';
    expect(uri).toMatch(/^s3:\/\/.+\/[0-9a-f]{64}\.py$/);
  });

  test('may be read by the instances, those of earlier deployments too', () => {
    const readable = allActions(template).get('s3:GetObject') ?? [];
    expect(readable.filter((arn) => arn.endsWith('.py'))).toEqual([
      'arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-central-1/*.py',
    ]);
  });

  test('of different steps are different', () => {
    expect(new Set(uris.values()).size).toBe(STEP_NAMES.length);
  });
});
