/** What the states of a run use: everything of the deployment that the definition names. */

import type { IVersion } from 'aws-cdk-lib/aws-lambda';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { FunctionName } from '../../domain/operations.ts';
import type { StepName } from '../../domain/run.ts';
import type { ClusterProfile } from '../compute/cluster-profile.ts';
import type { StepScript } from '../compute/step-scripts.ts';

export interface PipelineResources {
  /** Published versions: a definition that is being executed calls the code that it was deployed with. */
  readonly functions: Readonly<Record<FunctionName, IVersion>>;
  readonly steps: Readonly<Record<StepName, StepScript>>;
  readonly cluster: ClusterProfile;
  readonly securityConfigurationName: string;
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
