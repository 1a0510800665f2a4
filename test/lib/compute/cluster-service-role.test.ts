import { Match } from 'aws-cdk-lib/assertions';
import { Role } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { ClusterServiceRole } from '../../../lib/compute/cluster-service-role.ts';
import { alone } from '../../support/construct-alone.ts';

describe("EMR's own role", () => {
  const { template, findings } = alone('compute', (stack, { key }) => {
    const instanceRole = Role.fromRoleName(stack, 'Instances', 'instances');
    new ClusterServiceRole(stack, 'ServiceRole', { key, instanceRole });
  });

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('is assumed by EMR, for clusters of this account only', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [
          Match.objectLike({
            Principal: { Service: 'elasticmapreduce.amazonaws.com' },
            Condition: Match.objectLike({ StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } }),
          }),
        ],
      },
    });
  });

  test('passes the role of the instances, and to EC2 only', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'iam:PassRole',
            Resource: Match.stringLikeRegexp(':role/instances$'),
            Condition: { StringLike: { 'iam:PassedToService': 'ec2.amazonaws.com*' } },
          }),
        ]),
      },
    });
  });

  test('grants the key to volumes of AWS services only', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
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
