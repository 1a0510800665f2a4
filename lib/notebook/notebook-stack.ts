/**
 * An EMR Studio for those who explore the lake in notebooks, off by default (`churn:notebook`). Its network has a way out, to
 * linked Git repositories and to packages; the network of the pipeline stays isolated, and nothing leads from one to the
 * other.
 */
import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { CfnStudio } from 'aws-cdk-lib/aws-emr';
import { CfnInstanceProfile } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { MANAGED_POLICY_TAG } from '../../domain/operations.ts';
import { ClusterServiceRole } from '../compute/cluster-service-role.ts';
import { SecurityConfiguration } from '../compute/security-configuration.ts';
import type { Configuration } from '../configuration.ts';
import { clusterZones } from '../network/cluster-network.ts';
import { ClusterSecurityGroups } from '../network/cluster-security-groups.ts';
import { LOG_GROUP_NAMES, PipelineLogGroup } from '../pipeline-log-group.ts';
import type { Storage } from '../storage/storage-stack.ts';
import { ClusterCatalog } from './cluster-catalog.ts';
import { KernelFiles } from './kernel-files.ts';
import { KernelRole, NOTEBOOK_LOGS } from './kernel-role.ts';
import {
  CLUSTER_PARAMETERS,
  type ClusterParameter,
  NotebookCluster,
  parameterName,
} from './notebook-cluster.ts';
import { NotebookNetwork } from './notebook-network.ts';
import { NotebookUser } from './notebook-user.ts';
import { StudioSecurityGroups } from './studio-security-groups.ts';
import { StudioServiceRole } from './studio-service-role.ts';

export interface NotebookStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly storage: Storage;
  /** Holds the files of the workspaces. */
  readonly workspaceBucket: IBucket;
  /** Release of EMR, the same as the pipeline's. */
  readonly releaseLabel: string;
}

export class NotebookStack extends Stack {
  constructor(scope: Construct, id: string, props: NotebookStackProps) {
    super(scope, id, props);
    const { configuration, storage, workspaceBucket, releaseLabel } = props;
    const { prefix } = configuration;
    const { key } = storage;
    const network = this.#network(props);
    const groups = new StudioSecurityGroups(this, 'StudioGroups', { vpc: network.vpc });
    const { role: studioRole } = new StudioServiceRole(this, 'StudioRole', { key, workspaceBucket });
    const studio = new CfnStudio(this, 'Studio', {
      name: prefix,
      description: 'Notebooks on the churn lake',
      authMode: 'IAM',
      serviceRole: studioRole.roleArn,
      vpcId: network.vpc.vpcId,
      subnetIds: [...network.subnetIds],
      engineSecurityGroupId: groups.engine.securityGroupId,
      workspaceSecurityGroupId: groups.workspace.securityGroupId,
      defaultS3Location: `s3://${workspaceBucket.bucketName}/workspaces`,
      encryptionKeyArn: key.keyArn,
    });

    const files = new KernelFiles(this, 'KernelFiles');
    const { role: instanceRole } = new KernelRole(this, 'KernelRole', {
      storage,
      assets: [files.script, files.lock, files.module],
    });
    const profile = new CfnInstanceProfile(this, 'InstanceProfile', { roles: [instanceRole.roleName] });
    const { role: serviceRole } = new ClusterServiceRole(this, 'ServiceRole', { key, instanceRole });
    const clusterGroups = new ClusterSecurityGroups(this, 'ClusterGroups', {
      vpc: network.vpc,
      leadsTo: 'Athena, S3, and packages when it starts',
    });
    const { configurationName } = new SecurityConfiguration(this, 'SecurityConfiguration', { key });
    this.#parameters(prefix, {
      subnet: network.subnetIds[0],
      'primary-group': clusterGroups.primary.securityGroupId,
      'worker-group': clusterGroups.workers.securityGroupId,
      'service-access-group': clusterGroups.serviceAccess.securityGroupId,
      'service-role': serviceRole.roleArn,
      'instance-profile': profile.ref,
      'security-configuration': configurationName,
      'log-uri': `s3://${storage.logBucket.bucketName}/${NOTEBOOK_LOGS}/`,
      database: storage.databaseName,
      workgroup: storage.workgroupName,
    });

    const user = new NotebookUser(this, 'User');
    user.mayUse({ studioArn: studio.attrArn, serviceRoleArn: studioRole.roleArn });
    new ClusterCatalog(this, 'Catalog', {
      prefix,
      cluster: new NotebookCluster(this, 'Cluster', {
        prefix,
        releaseLabel,
        instanceTypes: configuration.primaryInstanceTypes,
        idleMinutes: configuration.notebookIdleMinutes,
        volumeGiB: configuration.volumeGiB,
        files,
      }),
      serviceRole,
      instanceRole,
      user: user.role,
    });
    Tags.of(this).add(MANAGED_POLICY_TAG.key, MANAGED_POLICY_TAG.value);
    new CfnOutput(this, 'StudioUrl', { value: studio.attrUrl, description: 'Where notebooks are opened' });
    new CfnOutput(this, 'NotebookUserRole', {
      value: user.role.roleArn,
      description: 'Role to assume before opening it',
    });
  }

  override get availabilityZones(): string[] {
    return clusterZones();
  }

  #network({ configuration, storage }: NotebookStackProps): NotebookNetwork {
    const { logGroup } = new PipelineLogGroup(this, 'FlowLogs', {
      configuration,
      key: storage.key,
      name: LOG_GROUP_NAMES.notebook(configuration.prefix),
    });
    return new NotebookNetwork(this, 'Network', { cidr: configuration.notebookCidr, flowLogs: logGroup });
  }

  #parameters(prefix: string, values: Readonly<Record<ClusterParameter, string>>): void {
    for (const parameter of CLUSTER_PARAMETERS) {
      new StringParameter(this, `Parameter-${parameter}`, {
        parameterName: parameterName(prefix, parameter),
        stringValue: values[parameter],
        description: 'For the clusters of notebooks',
      });
    }
  }
}
