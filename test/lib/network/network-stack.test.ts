import { describe, expect, test } from 'vitest';
import { synthesize } from '../../support/synthesize.ts';
import { flatten, policyDocuments } from '../policies.ts';
import { resources, template } from '../resources.ts';

describe('network', () => {
  test('leads only to S3, Glue and KMS', () => {
    const network = template('network');
    network.resourceCountIs('AWS::EC2::InternetGateway', 0);
    network.resourceCountIs('AWS::EC2::NatGateway', 0);
    expect(
      resources('network', 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) =>
        JSON.stringify(Properties?.ServiceName),
      ),
    ).toEqual([
      expect.stringContaining('.s3'),
      expect.stringContaining('.glue'),
      expect.stringContaining('.kms'),
    ]);
    const [, ...interfaces] = resources('network', 'AWS::EC2::VPCEndpoint');
    for (const [id, { Properties }] of interfaces) {
      expect(Properties, id).toMatchObject({ VpcEndpointType: 'Interface', PrivateDnsEnabled: true });
    }
  });

  test('spans two zones without looking them up', () => {
    expect(resources('network', 'AWS::EC2::Subnet')).toHaveLength(2);
    expect(synthesize().assembly.manifest.missing ?? []).toEqual([]);
  });

  test('what EMR uses has the tag of its managed policies', () => {
    for (const type of ['AWS::EC2::VPC', 'AWS::EC2::Subnet', 'AWS::EC2::SecurityGroup']) {
      for (const [id, { Properties }] of resources('network', type)) {
        expect(Properties?.Tags, id).toContainEqual({
          Key: 'for-use-with-amazon-emr-managed-policies',
          Value: 'true',
        });
      }
    }
  });

  test('security groups have every rule of EMR as a resource of its own, in both directions', () => {
    const ports = (type: string): string[] =>
      resources('network', type)
        .map(
          ([, { Properties = {} }]) => `${Properties.IpProtocol} ${Properties.FromPort}-${Properties.ToPort}`,
        )
        .sort();
    const everything = ['icmp -1--1', 'tcp 0-65535', 'udp 0-65535'].flatMap((rule) => [
      rule,
      rule,
      rule,
      rule,
    ]);
    const expected = [
      ...everything,
      ...['tcp 8443-8443', 'tcp 8443-8443', 'tcp 9443-9443', 'tcp 9443-9443'],
    ].sort();
    expect(ports('AWS::EC2::SecurityGroupEgress')).toEqual(expected);
    // The interface endpoints admit the primary and the workers, besides.
    expect(ports('AWS::EC2::SecurityGroupIngress')).toEqual(
      [...expected, 'tcp 443-443', 'tcp 443-443'].sort(),
    );
  });

  test('the S3 endpoint serves buckets of this account, and those of AWS that EMR needs', () => {
    const [s3] = policyDocuments(template('network')).filter(({ type }) => type === 'AWS::EC2::VPCEndpoint');
    const statements = s3?.document.Statement.map(({ Sid, Action, Resource = [], Condition }) => ({
      sid: Sid,
      actions: Action.map((action) => String(action).replace(/^s3:/, '')).join(' '),
      resources: Resource.map((resource) => flatten(resource).replace('arn:<Partition>:s3:::', '')),
      conditions: Object.keys(Condition?.StringEquals ?? {}),
    }));
    expect(statements).toEqual([
      {
        sid: 'AllowBucketsOfThisAccount',
        actions:
          'AbortMultipartUpload DeleteObject GetBucketLocation GetObject ListBucket ListBucketMultipartUploads ListMultipartUploadParts PutObject',
        resources: ['*'],
        conditions: ['aws:PrincipalAccount', 's3:ResourceAccount'],
      },
      {
        sid: 'ReadPackageRepositories',
        actions: 'GetObject',
        resources: ['al2023-repos-<Region>-de612dc2/*', 'repo.<Region>.emr.amazonaws.com/*'],
        conditions: [],
      },
      {
        sid: 'WriteEmrSystemLogs',
        actions: 'PutObject PutObjectAcl PutObjectTagging',
        resources: ['<aws157-logs-prod or aws157-logs-prod-<Region>>/*'],
        conditions: [],
      },
      {
        sid: 'UseEmrHistoryServer',
        actions:
          'AbortMultipartUpload GetObject ListMultipartUploadParts PutObject PutObjectAcl PutObjectTagging',
        resources: ['prod.<Region>.appinfo.src/*'],
        conditions: [],
      },
    ]);
    template('network').hasCondition('*', { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] });
  });
});
