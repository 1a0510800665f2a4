/** The role of the people who use the notebook: workspaces, Git repositories, and clusters from the catalog. */
import { AccountRootPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { MANAGED_POLICY_TAG } from '../../domain/operations.ts';
import { arnOf } from '../arns.ts';

export class NotebookUser extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.role = new Role(this, 'Default', {
      assumedBy: new AccountRootPrincipal(),
      description: 'People who use the notebook; who may assume it, their own permissions say',
    });
  }

  /** Lets the user open the Studio and give its role to new workspaces. */
  mayUse({
    studioArn,
    serviceRoleArn,
  }: {
    readonly studioArn: string;
    readonly serviceRoleArn: string;
  }): void {
    for (const statement of statements(studioArn, serviceRoleArn)) this.role.addToPolicy(statement);
  }
}

const emr = (...actions: readonly string[]): string[] =>
  actions.map((action) => `elasticmapreduce:${action}`);
const catalog = (...actions: readonly string[]): string[] =>
  actions.map((action) => `servicecatalog:${action}`);

function statements(studioArn: string, serviceRoleArn: string): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'OpenStudio',
      actions: emr('CreateStudioPresignedUrl', 'DescribeStudio'),
      resources: [studioArn],
    }),
    // Workspaces and repositories have no ARNs to name.
    new PolicyStatement({
      sid: 'UseWorkspaces',
      actions: emr(
        ...['CreateEditor', 'DescribeEditor', 'ListEditors', 'StartEditor', 'StopEditor', 'DeleteEditor'],
        ...['OpenEditorInConsole', 'AttachEditor', 'DetachEditor', 'ListStudios', 'ListClusters'],
        ...['CreateRepository', 'DescribeRepository', 'DeleteRepository', 'ListRepositories'],
        ...['LinkRepository', 'UnlinkRepository', 'DescribeCluster', 'ListInstanceGroups'],
        ...['ListBootstrapActions', 'ListSteps', 'GetOnClusterAppUIPresignedURL'],
      ),
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'CreateGitSecrets',
      actions: ['secretsmanager:CreateSecret'],
      resources: [arnOf('secretsmanager', 'secret:emr-studio-*')],
      conditions: {
        StringEquals: { [`aws:RequestTag/${MANAGED_POLICY_TAG.key}`]: MANAGED_POLICY_TAG.value },
      },
    }),
    new PolicyStatement({
      sid: 'TagGitSecrets',
      actions: ['secretsmanager:TagResource'],
      resources: [arnOf('secretsmanager', 'secret:emr-studio-*')],
    }),
    new PolicyStatement({
      sid: 'SeeWhatThereIs',
      actions: [
        'cloudformation:DescribeStackResources',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSubnets',
        'ec2:DescribeVpcs',
        'secretsmanager:ListSecrets',
      ],
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'LaunchClustersOfTheCatalog',
      actions: catalog(
        ...['DescribeProduct', 'DescribeProductView', 'DescribeProvisioningParameters', 'DescribeRecord'],
        ...['ListLaunchPaths', 'ListProvisioningArtifacts', 'ProvisionProduct', 'SearchProducts'],
        ...['TerminateProvisionedProduct'],
      ),
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'GiveStudioRoleToWorkspaces',
      actions: ['iam:PassRole'],
      resources: [serviceRoleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'elasticmapreduce.amazonaws.com' } },
    }),
  ];
}
