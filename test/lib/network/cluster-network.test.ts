import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { ClusterNetwork } from '../../../lib/network/cluster-network.ts';
import { alone } from '../../support/construct-alone.ts';

describe('the network of the cluster', () => {
  const { template, findings } = alone('network', (stack, { logGroup }) => {
    new ClusterNetwork(stack, 'Vpc', { cidr: '10.1.0.0/20', flowLogs: logGroup('/churn-dev/network') });
  });

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('has two subnets in two zones, and no way to the internet', () => {
    template.hasResourceProperties('AWS::EC2::VPC', { CidrBlock: '10.1.0.0/20' });
    for (const zone of [0, 1]) {
      template.hasResourceProperties('AWS::EC2::Subnet', {
        AvailabilityZone: { 'Fn::Select': [zone, { 'Fn::GetAZs': '' }] },
        MapPublicIpOnLaunch: false,
      });
    }
    template.resourceCountIs('AWS::EC2::Subnet', 2);
    template.resourceCountIs('AWS::EC2::InternetGateway', 0);
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.resourceCountIs('AWS::EC2::Route', 0);
  });

  test('logs all traffic', () => {
    template.hasResourceProperties('AWS::EC2::FlowLog', {
      TrafficType: 'ALL',
      LogGroupName: { 'Fn::ImportValue': Match.stringLikeRegexp('churndevnetwork') },
    });
  });
});
