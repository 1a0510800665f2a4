/** The optional stack of the notebook, and what the others become with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';
import { instanceUsdPerHour } from '../../../domain/cost.ts';
import { projectRoot } from '../../../setup/environment.mjs';
import { synthesize } from '../../support/synthesize.ts';
import { allActions, allStatements, policyDocuments, principals } from '../policies.ts';

const { template, assembly } = synthesize({ 'churn:notebook': 'true', 'churn:notebookIdleMinutes': '45' });
const notebook = template('notebook');

/** The template that the catalog launches. */
const [product = ''] = globSync('*.product.template.json', { cwd: assembly.directory, absolute: true });
const cluster = Template.fromJSON(JSON.parse(readFileSync(product, 'utf8')));

test('there is no notebook unless the configuration asks for it', () => {
  const without = synthesize();
  expect(without.stacks.notebook).toBeUndefined();
  expect(without.assembly.stacks.map(({ stackName }) => stackName)).not.toContain('churn-dev-notebook');
  without.template('storage').resourceCountIs('AWS::S3::Bucket', 5);
});

describe('the network', () => {
  test('has private subnets in two zones with one way out, and a network of its own', () => {
    notebook.hasResourceProperties('AWS::EC2::VPC', { CidrBlock: '10.72.0.0/20' });
    notebook.resourceCountIs('AWS::EC2::NatGateway', 1);
    notebook.resourceCountIs('AWS::EC2::Subnet', 4);
    notebook.allResourcesProperties('AWS::EC2::Subnet', { MapPublicIpOnLaunch: false });
    notebook.resourceCountIs('AWS::EC2::FlowLog', 1);
  });

  test('leaves that of the pipeline as it is: isolated, and connected with nothing', () => {
    expect(template('network').toJSON()).toEqual(synthesize().template('network').toJSON());
    for (const type of ['AWS::EC2::VPCPeeringConnection', 'AWS::EC2::TransitGatewayAttachment']) {
      notebook.resourceCountIs(type, 0);
    }
  });
});

describe('the Studio', () => {
  test('keeps its workspaces in a bucket of this deployment, under the customer key', () => {
    template('storage').hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          Match.objectLike({
            ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }),
          }),
        ],
      },
      LoggingConfiguration: Match.objectLike({ LogFilePrefix: 'Workspaces/' }),
    });
    notebook.hasResourceProperties('AWS::EMR::Studio', {
      AuthMode: 'IAM',
      DefaultS3Location: { 'Fn::Join': ['', ['s3://', Match.anyValue(), '/workspaces']] },
      EncryptionKeyArn: Match.anyValue(),
      SubnetIds: [Match.anyValue(), Match.anyValue()],
    });
  });

  test('lets workspaces reach kernels and Git, and nothing else', () => {
    notebook.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'EMR Studio: workspaces',
      SecurityGroupEgress: [Match.objectLike({ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443 })],
      SecurityGroupIngress: Match.absent(),
    });
    const kernels = { IpProtocol: 'tcp', FromPort: 18_888, ToPort: 18_888 };
    notebook.hasResourceProperties('AWS::EC2::SecurityGroupIngress', kernels);
    notebook.hasResourceProperties('AWS::EC2::SecurityGroupEgress', kernels);
    for (const { Properties } of Object.values(notebook.findResources('AWS::EC2::SecurityGroup'))) {
      expect(JSON.stringify(Properties?.SecurityGroupIngress ?? [])).not.toContain('0.0.0.0/0');
    }
  });

  test('what it uses of the network has the tag of EMR’s managed policies', () => {
    for (const type of ['AWS::EC2::VPC', 'AWS::EC2::Subnet', 'AWS::EC2::SecurityGroup']) {
      notebook.allResourcesProperties(type, {
        Tags: Match.arrayWith([{ Key: 'for-use-with-amazon-emr-managed-policies', Value: 'true' }]),
      });
    }
  });
});

describe('the cluster that a workspace attaches to', () => {
  test('is one instance with kernels, terminates itself when idle, and is encrypted', () => {
    cluster.hasResourceProperties('AWS::EMR::Cluster', {
      ReleaseLabel: 'emr-7.13.0',
      Applications: Match.arrayWith([
        { Name: 'Spark' },
        { Name: 'Livy' },
        { Name: 'JupyterEnterpriseGateway' },
      ]),
      AutoTerminationPolicy: { IdleTimeout: 45 * 60 },
      SecurityConfiguration: '{{resolve:ssm:/churn-dev/notebook/security-configuration}}',
      Instances: Match.objectLike({
        KeepJobFlowAliveWhenNoSteps: true,
        TerminationProtected: false,
        CoreInstanceGroup: Match.absent(),
        MasterInstanceGroup: Match.objectLike({ InstanceCount: 1 }),
      }),
    });
  });

  test('has the parameter and the output that EMR Studio asks for', () => {
    cluster.hasParameter('ClusterName', { Type: 'String' });
    cluster.hasOutput('ClusterId', { Value: { Ref: Match.stringLikeRegexp('^Cluster') } });
  });

  test('takes only parameters that the stack writes', () => {
    const named = new Set(JSON.stringify(cluster.toJSON()).match(/(?<=resolve:ssm:)[\w/-]+/g));
    const written = Object.values(notebook.findResources('AWS::SSM::Parameter')).map(
      ({ Properties }) => Properties?.Name,
    );
    expect([...named].sort()).toEqual([...written].sort());
  });

  test('does not look like the cluster of a run, whatever the catalog adds', () => {
    const tags = [
      cluster.findResources('AWS::EMR::Cluster'),
      notebook.findResources('AWS::ServiceCatalog::Portfolio'),
      notebook.findResources('AWS::ServiceCatalog::CloudFormationProduct'),
    ].map((found) => JSON.stringify(Object.values(found)[0]?.Properties?.Tags ?? []));
    for (const text of tags) expect(text).not.toContain('churn:pipeline');
    expect(tags[0]).toContain('churn:notebook');
  });
});

describe('who may do what', () => {
  test('a kernel reads the lake through Athena and cannot write it', () => {
    const lakeWrites = allStatements(notebook)
      .filter(({ policy }) => policy.startsWith('KernelRole'))
      .filter(({ actions }) => actions.some((action) => /s3:(Put|Delete)/.test(action)))
      .flatMap(({ resources }) => resources);
    expect(lakeWrites).toEqual([
      expect.stringContaining('QueryResults'),
      expect.stringMatching(/ClusterLogs.*\/notebooks\/\*$/),
    ]);
    expect(allActions(notebook).get('athena:StartQueryExecution')).toEqual([
      expect.stringMatching(/workgroup\//),
    ]);
  });

  test('roles are passed to named services only', () => {
    const passing = allStatements(notebook).filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passing.map(({ conditioned }) => conditioned)).toEqual([true, true, true]);
  });

  test('roles are assumed by services of AWS, and by this account', () => {
    const trusted = policyDocuments(notebook)
      .filter(({ type }) => type === 'AWS::IAM::Role')
      .flatMap(({ document }) => document.Statement.flatMap(({ Principal }) => principals(Principal)));
    expect([...new Set(trusted)].sort()).toEqual([
      'arn:aws:iam::111122223333:root',
      'ec2.amazonaws.com',
      'elasticmapreduce.amazonaws.com',
      'servicecatalog.amazonaws.com',
      'vpc-flow-logs.amazonaws.com',
    ]);
  });
});

test('the cost in the docs is what the prices say', () => {
  const page = readFileSync(join(projectRoot, 'docs/notebook.md'), 'utf8');
  const perHour = instanceUsdPerHour('m7g.xlarge', 'eu-central-1') ?? 0;
  expect(page).toContain(`${perHour.toFixed(2)} USD per hour`);
});
