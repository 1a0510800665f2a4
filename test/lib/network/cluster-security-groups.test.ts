import { Match } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { describe, expect, test } from 'vitest';
import { ClusterSecurityGroups } from '../../../lib/network/cluster-security-groups.ts';
import { alone } from '../../support/construct-alone.ts';

describe('the security groups of the cluster', () => {
  const { template, findings } = alone('network', (stack) => {
    const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-1', availabilityZones: ['a', 'b'] });
    new ClusterSecurityGroups(stack, 'SecurityGroups', { vpc });
  });
  const group = (name: string) => ({
    'Fn::GetAtt': [Match.stringLikeRegexp(`^SecurityGroups${name}Group`), 'GroupId'],
  });

  test('pass cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test.each([
    ['primary', 'Primary'],
    ['worker', 'Worker'],
  ])('let EMR reach its agent on the %s, in both directions of the rule', (_, name) => {
    const port = { IpProtocol: 'tcp', FromPort: 8443, ToPort: 8443 };
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      ...port,
      GroupId: group(name),
      SourceSecurityGroupId: group('ServiceAccess'),
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroupEgress', {
      ...port,
      GroupId: group('ServiceAccess'),
      DestinationSecurityGroupId: group(name),
    });
  });

  test.each([
    ['primary', 'Primary'],
    ['worker', 'Worker'],
  ])('let the %s reach EMR, in both directions of the rule', (_, name) => {
    const port = { IpProtocol: 'tcp', FromPort: 9443, ToPort: 9443 };
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      ...port,
      GroupId: group('ServiceAccess'),
      SourceSecurityGroupId: group(name),
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroupEgress', {
      ...port,
      GroupId: group(name),
      DestinationSecurityGroupId: group('ServiceAccess'),
    });
  });

  test('admit no traffic from outside, and lead out on port 443 only, but not from EMR itself', () => {
    for (const [id, { Properties }] of Object.entries(template.findResources('AWS::EC2::SecurityGroup'))) {
      expect(Properties.SecurityGroupIngress, id).toBeUndefined();
    }
    const open = { CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: 443, ToPort: 443 };
    for (const name of ['EMR primary instance', 'EMR core and task instances']) {
      template.hasResourceProperties('AWS::EC2::SecurityGroup', {
        GroupDescription: name,
        SecurityGroupEgress: [Match.objectLike(open)],
      });
    }
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'EMR service access',
      SecurityGroupEgress: [Match.objectLike({ CidrIp: '255.255.255.255/32' })],
    });
  });
});
