import { Match } from 'aws-cdk-lib/assertions';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { describe, expect, test } from 'vitest';
import { ClusterNetwork } from '../../../lib/network/cluster-network.ts';
import { NetworkEndpoints } from '../../../lib/network/network-endpoints.ts';
import { alone } from '../../support/construct-alone.ts';

describe('the endpoints of the network', () => {
  const { template, findings } = alone('network', (stack, { logGroup }) => {
    const { vpc } = new ClusterNetwork(stack, 'Vpc', {
      cidr: '10.1.0.0/20',
      flowLogs: logGroup('/churn-dev/network'),
    });
    const client = new SecurityGroup(stack, 'Client', { vpc, allowAllOutbound: false });
    new NetworkEndpoints(stack, 'Endpoints', { vpc, clients: [client] });
  });

  test('pass cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test.each(['glue', 'kms'])('lead to %s by its usual name', (service) => {
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', {
      VpcEndpointType: 'Interface',
      ServiceName: Match.stringLikeRegexp(`\\.${service}$`),
      PrivateDnsEnabled: true,
    });
  });

  test('admit the clients on port 443, and no others', () => {
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      FromPort: 443,
      ToPort: 443,
      SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Client'), 'GroupId'] },
    });
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 1);
  });

  test('lead to S3 for principals and buckets of this account, besides the buckets of AWS', () => {
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', {
      VpcEndpointType: 'Gateway',
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Sid: 'AllowBucketsOfThisAccount',
            Condition: {
              StringEquals: {
                'aws:PrincipalAccount': { Ref: 'AWS::AccountId' },
                's3:ResourceAccount': { Ref: 'AWS::AccountId' },
              },
            },
          }),
          Match.objectLike({ Sid: 'ReadPackageRepositories', Action: 's3:GetObject' }),
        ]),
      },
    });
  });
});
