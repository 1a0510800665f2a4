/** What the state machine needs to know to create a cluster. */
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { EmrCreateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';

/** What a cluster is made of; how large it is, the run's plan says. */
export interface ClusterProfile {
  /** Name of the deployment: begins the cluster's name, and is its tag. */
  readonly pipelineName: string;
  readonly releaseLabel: string;
  readonly serviceRole: IRole;
  /** Role of the instances; an instance profile of the same name exists. */
  readonly instanceRole: IRole;
  readonly subnetIds: readonly string[];
  readonly primarySecurityGroupId: string;
  readonly workerSecurityGroupId: string;
  readonly serviceAccessSecurityGroupId: string;
  readonly primaryInstanceTypes: readonly string[];
  readonly coreInstanceTypes: readonly string[];
  readonly taskInstanceTypes: readonly string[];
  readonly volumeGiB: number;
  readonly logUri: string;
  readonly bootstrapActions: readonly EmrCreateCluster.BootstrapActionConfigProperty[];
  readonly configurations: readonly EmrCreateCluster.ConfigurationProperty[];
  readonly idleMinutes: number;
  /** How long EMR looks for spot instances before it takes on-demand ones. */
  readonly spotTimeoutMinutes: number;
  /** Tags besides those that name the run. */
  readonly tags: Readonly<Record<string, string>>;
}
