/** What a cluster is made of: its roles, its security configuration, its software and the scripts it runs. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Stack, type StackProps } from 'aws-cdk-lib';
import { CfnSecurityConfiguration } from 'aws-cdk-lib/aws-emr';
import { CfnInstanceProfile, type Role } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import type { StepName } from '../../domain/run.ts';
import { projectRoot } from '../../setup/environment.mjs';
import type { Configuration } from '../configuration.ts';
import type { NetworkStack } from '../network/network-stack.ts';
import type { StorageStack } from '../storage/storage-stack.ts';
import type { ClusterProfile } from './cluster-profile.ts';
import { clusterConfigurations, PACKAGES_FOLDER, securityConfiguration } from './cluster-settings.ts';
import { instanceRole, readObjects } from './instance-role.ts';
import { pythonPackages } from './python-packages.ts';
import { serviceRole } from './service-role.ts';
import type { StepScript } from './step-scripts.ts';
import { stepScripts } from './step-scripts.ts';

/** Spark 3.5.6, Python 3.11 and Iceberg 1.10: what the local environment has too. */
const EMR_RELEASE = 'emr-7.13.0';

/** Digits of a hash in a name: enough to tell a handful apart. */
const HASH_LENGTH = 8;

export interface ComputeStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly storage: StorageStack;
  readonly network: NetworkStack;
}

export class ComputeStack extends Stack {
  readonly cluster: ClusterProfile;
  readonly steps: Readonly<Record<StepName, StepScript>>;
  readonly instanceRole: Role;
  readonly serviceRole: Role;

  constructor(scope: Construct, id: string, props: ComputeStackProps) {
    super(scope, id, props);
    const { configuration, storage, network } = props;
    const { key } = storage;
    this.instanceRole = instanceRole(this, 'InstanceRole', {
      ...storageOf(storage),
      rawPrefix: configuration.rawPrefix,
      certificatesUri: configuration.certificatesUri,
    });
    // EMR asks for an instance profile and is told the role's name: both have to be the same.
    new CfnInstanceProfile(this, 'InstanceProfile', {
      instanceProfileName: this.instanceRole.roleName,
      roles: [this.instanceRole.roleName],
    });
    this.serviceRole = serviceRole(this, 'ServiceRole', key, this.instanceRole);
    this.steps = stepScripts(this, this.instanceRole);
    this.cluster = {
      pipelineName: configuration.prefix,
      releaseLabel: EMR_RELEASE,
      serviceRole: this.serviceRole,
      instanceRole: this.instanceRole,
      securityConfigurationName: this.security(props),
      subnetIds: network.subnetIds,
      primarySecurityGroupId: network.securityGroups.primary.securityGroupId,
      workerSecurityGroupId: network.securityGroups.workers.securityGroupId,
      serviceAccessSecurityGroupId: network.securityGroups.serviceAccess.securityGroupId,
      primaryInstanceTypes: configuration.primaryInstanceTypes,
      coreInstanceTypes: configuration.coreInstanceTypes,
      taskInstanceTypes: configuration.taskInstanceTypes,
      volumeGiB: configuration.volumeGiB,
      logUri: `s3://${storage.logBucket.bucketName}/clusters/`,
      bootstrapActions: [this.bootstrapAction()],
      configurations: clusterConfigurations(storage.lakeRoot, key.keyArn),
      idleMinutes: configuration.idleMinutes,
      spotTimeoutMinutes: configuration.spotTimeoutMinutes,
      tags: { 'churn:stage': configuration.stage },
    };
  }

  /**
   * EMR changes no security configuration, and CloudFormation replaces nothing under the name that it has: so the name
   * tells the content. The state machine is told the name itself: what another stack imports could not be replaced.
   */
  private security({ configuration, storage }: ComputeStackProps): string {
    const content = securityConfiguration(storage.key.keyArn, configuration.certificatesUri);
    const hash = createHash('sha256').update(JSON.stringify(this.resolve(content)));
    const name = `${configuration.prefix}-${hash.digest('hex').slice(0, HASH_LENGTH)}`;
    new CfnSecurityConfiguration(this, 'SecurityConfiguration', { name, securityConfiguration: content });
    return name;
  }

  private bootstrapAction(): ClusterProfile['bootstrapActions'][number] {
    const script = new Asset(this, 'InstallPackages', {
      path: join(projectRoot, 'emr-steps', 'cluster', 'install-packages.sh'),
    });
    const packages = pythonPackages(this, 'PythonPackages');
    readObjects(
      this.instanceRole,
      [script, packages].map((asset) => asset.bucket.arnForObjects(asset.s3ObjectKey)),
    );
    return {
      name: 'Install the Python packages',
      scriptBootstrapAction: { path: script.s3ObjectUrl, args: [packages.s3ObjectUrl, PACKAGES_FOLDER] },
    };
  }
}

function storageOf({
  key,
  rawBucket,
  lakeBucket,
  logBucket,
}: StorageStack): Pick<StorageStack, 'key' | 'rawBucket' | 'lakeBucket' | 'logBucket'> {
  return { key, rawBucket, lakeBucket, logBucket };
}
