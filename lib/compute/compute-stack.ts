/** What a cluster is made of: its roles, its security configuration, its software and the scripts it runs. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import { CfnInstanceProfile } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { StepName } from '../../domain/run.ts';
import type { Configuration } from '../configuration.ts';
import type { Network } from '../network/network-stack.ts';
import type { Storage } from '../storage/storage-stack.ts';
import type { ClusterProfile } from './cluster-profile.ts';
import { ClusterServiceRole } from './cluster-service-role.ts';
import { clusterConfigurations } from './cluster-settings.ts';
import { InstanceRole } from './instance-role.ts';
import { PackageInstallation } from './package-installation.ts';
import { currentRelease, currentTrainingRelease } from './release.ts';
import { type StepScript, StepScripts } from './step-scripts.ts';

/** Spark 3.5.6, Python 3.11 and Iceberg 1.10: what the local environment has too. */
const EMR_RELEASE = 'emr-7.13.0';

export interface ComputeStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly storage: Storage;
  readonly network: Network;
}

/** What the pipeline uses of the cluster. */
export interface Compute {
  readonly cluster: ClusterProfile;
  readonly steps: Readonly<Record<StepName, StepScript>>;
  /** Names what the steps are executed with. */
  readonly release: string;
  /** Names what training is executed with. */
  readonly trainingRelease: string;
}

export class ComputeStack extends Stack implements Compute {
  readonly cluster: ClusterProfile;
  readonly steps: Readonly<Record<StepName, StepScript>>;
  readonly release = currentRelease(EMR_RELEASE);
  readonly trainingRelease = currentTrainingRelease(EMR_RELEASE);

  constructor(scope: Construct, id: string, props: ComputeStackProps) {
    super(scope, id, props);
    const { configuration, storage, network } = props;
    const { prefix, certificatesUri } = configuration;
    const { key } = storage;
    const instanceRole = new InstanceRole(this, 'InstanceRole', {
      key,
      rawBucket: storage.rawBucket,
      lakeBucket: storage.lakeBucket,
      logBucket: storage.logBucket,
      databaseName: storage.databaseName,
      rawPrefix: configuration.rawPrefix,
      certificatesUri,
    });
    const { role } = instanceRole;
    // EMR asks for an instance profile, and CDK passes it the role's name: both must have the same.
    new CfnInstanceProfile(this, 'InstanceProfile', {
      instanceProfileName: role.roleName,
      roles: [role.roleName],
    });
    this.steps = new StepScripts(this, 'Scripts', { reader: instanceRole }).scripts;
    this.cluster = {
      pipelineName: prefix,
      releaseLabel: EMR_RELEASE,
      serviceRole: new ClusterServiceRole(this, 'ServiceRole', { key, instanceRole: role }).role,
      instanceRole: role,
      subnetIds: network.subnetIds,
      primarySecurityGroupId: network.securityGroups.primary.securityGroupId,
      workerSecurityGroupId: network.securityGroups.workers.securityGroupId,
      serviceAccessSecurityGroupId: network.securityGroups.serviceAccess.securityGroupId,
      primaryInstanceTypes: configuration.primaryInstanceTypes,
      coreInstanceTypes: configuration.coreInstanceTypes,
      taskInstanceTypes: configuration.taskInstanceTypes,
      volumeGiB: configuration.volumeGiB,
      logUri: `s3://${storage.logBucket.bucketName}/clusters/`,
      bootstrapActions: [
        new PackageInstallation(this, 'PackageInstallation', { reader: instanceRole }).bootstrapAction,
      ],
      configurations: clusterConfigurations({
        lakeRoot: storage.lakeRoot,
        keyArn: key.keyArn,
        nodeLabels: configuration.nodeLabels,
      }),
      idleMinutes: configuration.idleMinutes,
      spotTimeoutMinutes: configuration.spotTimeoutMinutes,
      tags: { 'churn:stage': configuration.stage },
    };
  }
}
