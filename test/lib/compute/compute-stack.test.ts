import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { resources, template } from '../resources.ts';

describe('compute', () => {
  test('the instance profile is named as its role', () => {
    const [[, profile] = ['', undefined]] = resources('compute', 'AWS::IAM::InstanceProfile');
    expect(profile?.Properties?.Roles).toEqual([profile?.Properties?.InstanceProfileName]);
  });

  test("EMR may use the key for this account's volumes only", () => {
    template('compute').hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'kms:CreateGrant',
            Condition: { Bool: { 'kms:GrantIsForAWSResource': true } },
          }),
        ]),
      },
    });
  });
});
