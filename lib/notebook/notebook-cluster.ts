/**
 * The template of the cluster that a workspace attaches to. Service Catalog launches it in a stack of its own, so what it
 * takes of this deployment it reads from parameters of Systems Manager when it is launched.
 */

import {
  Aws,
  CfnDynamicReference,
  CfnDynamicReferenceService,
  CfnOutput,
  CfnParameter,
  Tags,
} from 'aws-cdk-lib';
import { CfnCluster } from 'aws-cdk-lib/aws-emr';
import { ProductStack } from 'aws-cdk-lib/aws-servicecatalog';
import type { Construct } from 'constructs';
import { CLUSTER_TAGS, MANAGED_POLICY_TAG } from '../../domain/operations.ts';
import type { KernelFiles } from './kernel-files.ts';

/** What a cluster takes of the deployment: the last part of the name of a parameter. */
export const CLUSTER_PARAMETERS = [
  'subnet',
  'primary-group',
  'worker-group',
  'service-access-group',
  'service-role',
  'instance-profile',
  'security-configuration',
  'log-uri',
  'database',
  'workgroup',
] as const;
export type ClusterParameter = (typeof CLUSTER_PARAMETERS)[number];

/** Name of a parameter of the deployment. @param prefix begins the names of the deployment */
export function parameterName(prefix: string, parameter: ClusterParameter): string {
  return `/${prefix}/notebook/${parameter}`;
}

/** Tag by which the cluster of a notebook is told from those of runs: its value is the deployment. */
export const NOTEBOOK_TAG = 'churn:notebook';

export interface NotebookClusterProps {
  /** Begins the names of the deployment. */
  readonly prefix: string;
  readonly releaseLabel: string;
  /** Types to choose from; the first is the default. */
  readonly instanceTypes: readonly string[];
  /** Minutes without a kernel or work after which the cluster terminates itself. */
  readonly idleMinutes: number;
  readonly volumeGiB: number;
  readonly files: KernelFiles;
}

/** One instance: a notebook asks Athena for the heavy work. EMR Studio asks for a parameter ClusterName and an output ClusterId. */
export class NotebookCluster extends ProductStack {
  constructor(scope: Construct, id: string, props: NotebookClusterProps) {
    super(scope, id);
    const { prefix, releaseLabel, instanceTypes, idleMinutes, volumeGiB, files } = props;
    const of = (parameter: ClusterParameter): string =>
      new CfnDynamicReference(CfnDynamicReferenceService.SSM, parameterName(prefix, parameter)).toString();
    const name = new CfnParameter(this, 'ClusterName', {
      default: `${prefix}-notebook`,
      description: 'Name of the cluster',
      allowedPattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    });
    const type = new CfnParameter(this, 'InstanceType', {
      default: instanceTypes[0] ?? '',
      allowedValues: [...instanceTypes],
      description: 'Type of its one instance',
    });
    const cluster = new CfnCluster(this, 'Cluster', {
      name: name.valueAsString,
      releaseLabel,
      applications: ['Hadoop', 'Spark', 'Livy', 'JupyterEnterpriseGateway'].map((application) => ({
        name: application,
      })),
      serviceRole: of('service-role'),
      jobFlowRole: of('instance-profile'),
      securityConfiguration: of('security-configuration'),
      logUri: of('log-uri'),
      ebsRootVolumeSize: 30,
      autoTerminationPolicy: { idleTimeout: idleMinutes * 60 },
      bootstrapActions: [
        {
          name: 'Install the kernel',
          scriptBootstrapAction: {
            path: files.script.s3ObjectUrl,
            args: [
              files.lock.s3ObjectUrl,
              files.module.s3ObjectUrl,
              of('database'),
              of('workgroup'),
              Aws.REGION,
            ],
          },
        },
      ],
      instances: {
        ec2SubnetId: of('subnet'),
        emrManagedMasterSecurityGroup: of('primary-group'),
        emrManagedSlaveSecurityGroup: of('worker-group'),
        serviceAccessSecurityGroup: of('service-access-group'),
        keepJobFlowAliveWhenNoSteps: true,
        terminationProtected: false,
        masterInstanceGroup: {
          name: 'primary',
          instanceCount: 1,
          instanceType: type.valueAsString,
          market: 'ON_DEMAND',
          ebsConfiguration: {
            ebsBlockDeviceConfigs: [
              { volumeSpecification: { volumeType: 'gp3', sizeInGb: volumeGiB }, volumesPerInstance: 1 },
            ],
          },
        },
      },
    });
    // Without the tag of the pipeline: its sweep must not take a notebook for what a run has left behind.
    Tags.of(cluster).remove(CLUSTER_TAGS.pipeline);
    Tags.of(cluster).add(NOTEBOOK_TAG, prefix);
    Tags.of(cluster).add(MANAGED_POLICY_TAG.key, MANAGED_POLICY_TAG.value);
    new CfnOutput(this, 'ClusterId', { value: cluster.ref, description: 'Id of the cluster' });
  }
}
