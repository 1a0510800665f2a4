/** What the states of a run use: everything of the deployment that the definition names. */
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { FunctionName } from '../../domain/operations.ts';
import type { StepName } from '../../domain/run.ts';
import type { ClusterProfile } from '../compute/cluster-profile.ts';
import type { StepScript } from '../compute/step-scripts.ts';

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
