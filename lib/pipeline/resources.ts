/** What the states of a run use: everything of the deployment that the definition names. */
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { EmrCreateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import type { FunctionName } from '../../domain/operations.ts';
import type { StepName } from '../../domain/run.ts';

/** What a cluster is made of; how large it is, the run's plan says. */
export interface ClusterProfile {
  /** Name of the deployment: begins the cluster's name, and is its tag. */
  readonly pipelineName: string;
  readonly releaseLabel: string;
  readonly serviceRole: IRole;
  /** Role of the instances; an instance profile of the same name exists. */
  readonly instanceRole: IRole;
  readonly securityConfigurationName: string;
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

/** A Spark step as a state needs it. */
export interface StepScript {
  readonly scriptUri: string;
}

export interface PipelineResources {
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  readonly steps: Readonly<Record<StepName, StepScript>>;
  readonly cluster: ClusterProfile;
  readonly workgroupName: string;
  readonly databaseName: string;
  /** Notifies the subscribers; its executions are named like the runs. */
  readonly notifier: IStateMachine;
}

/** Where states are made, and what they use. */
export interface Pipeline {
  readonly scope: Construct;
  readonly resources: PipelineResources;
}
