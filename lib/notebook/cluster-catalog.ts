/** The catalog from which a workspace launches its cluster, and the role that launches it. */
import { Tags } from 'aws-cdk-lib';
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CloudFormationProduct, CloudFormationTemplate, Portfolio } from 'aws-cdk-lib/aws-servicecatalog';
import { Construct } from 'constructs';
import { CLUSTER_TAGS } from '../../domain/operations.ts';
import { arnOf } from '../arns.ts';
import { CLUSTER_PARAMETERS, NOTEBOOK_TAG, type NotebookCluster, parameterName } from './notebook-cluster.ts';

export interface ClusterCatalogProps {
  /** Begins the names of the deployment. */
  readonly prefix: string;
  readonly cluster: NotebookCluster;
  /** Roles that EMR and the instances of a cluster are given. */
  readonly serviceRole: IRole;
  readonly instanceRole: IRole;
  /** May launch a cluster. */
  readonly user: IRole;
}

export class ClusterCatalog extends Construct {
  constructor(scope: Construct, id: string, props: ClusterCatalogProps) {
    super(scope, id);
    const { prefix, cluster, user } = props;
    const portfolio = new Portfolio(this, 'Portfolio', {
      displayName: `${prefix}-notebook`,
      providerName: prefix,
      description: 'Clusters that notebooks attach to',
    });
    const product = new CloudFormationProduct(this, 'Product', {
      // EMR Studio accepts no spaces here.
      productName: `${prefix}-notebook-cluster`,
      owner: prefix,
      productVersions: [
        {
          productVersionName: 'v1',
          cloudFormationTemplate: CloudFormationTemplate.fromProductStack(cluster),
        },
      ],
    });
    portfolio.addProduct(product);
    portfolio.setLaunchRole(product, this.#launchRole(props));
    portfolio.giveAccessToRole(user);
    // Service Catalog passes the tags of portfolio and product on to what it launches.
    Tags.of(this).remove(CLUSTER_TAGS.pipeline);
  }

  #launchRole(props: ClusterCatalogProps): Role {
    const role = new Role(this, 'LaunchRole', {
      assumedBy: new ServicePrincipal('servicecatalog.amazonaws.com'),
      description: 'Launches and terminates clusters of notebooks',
    });
    for (const statement of launchStatements(props)) role.addToPolicy(statement);
    return role;
  }
}

function launchStatements({ prefix, serviceRole, instanceRole }: ClusterCatalogProps): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'UseItsStacks',
      actions: [
        'cloudformation:CreateStack',
        'cloudformation:DeleteStack',
        'cloudformation:DescribeStackEvents',
        'cloudformation:DescribeStacks',
        'cloudformation:SetStackPolicy',
        'cloudformation:UpdateStack',
      ],
      resources: [arnOf('cloudformation', 'stack/SC-*')],
    }),
    new PolicyStatement({
      sid: 'ReadTemplates',
      actions: ['cloudformation:GetTemplateSummary', 'cloudformation:ValidateTemplate'],
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'ReadTemplatesOfTheCatalog',
      actions: ['s3:GetObject'],
      resources: ['*'],
      conditions: { StringEquals: { 's3:ExistingObjectTag/servicecatalog:provisioning': 'true' } },
    }),
    new PolicyStatement({
      sid: 'LaunchClusters',
      actions: ['elasticmapreduce:RunJobFlow'],
      resources: ['*'],
      conditions: { StringEquals: { [`aws:RequestTag/${NOTEBOOK_TAG}`]: prefix } },
    }),
    new PolicyStatement({
      sid: 'UseItsClusters',
      actions: [
        'elasticmapreduce:AddTags',
        'elasticmapreduce:DescribeCluster',
        'elasticmapreduce:GetAutoTerminationPolicy',
        'elasticmapreduce:ListBootstrapActions',
        'elasticmapreduce:ListInstanceGroups',
        'elasticmapreduce:PutAutoTerminationPolicy',
        'elasticmapreduce:SetTerminationProtection',
        'elasticmapreduce:TerminateJobFlows',
      ],
      resources: [arnOf('elasticmapreduce', 'cluster/*')],
      conditions: { StringEquals: { [`elasticmapreduce:ResourceTag/${NOTEBOOK_TAG}`]: prefix } },
    }),
    new PolicyStatement({
      sid: 'ReadParameters',
      actions: ['ssm:GetParameters'],
      resources: CLUSTER_PARAMETERS.map((name) => arnOf('ssm', `parameter${parameterName(prefix, name)}`)),
    }),
    new PolicyStatement({
      sid: 'PassRoles',
      actions: ['iam:PassRole'],
      resources: [serviceRole.roleArn, instanceRole.roleArn],
      conditions: {
        StringEquals: {
          'iam:PassedToService': ['elasticmapreduce.amazonaws.com', 'ec2.amazonaws.com'],
        },
      },
    }),
  ];
}
