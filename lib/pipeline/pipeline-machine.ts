/** The state machine whose executions are the runs. */
import { Duration } from 'aws-cdk-lib';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { stateMachineLogs } from '../pipeline-log-group.ts';
import type { Storage } from '../storage/storage-stack.ts';
import { ExecutionRole } from './execution-role.ts';
import { definePipeline } from './pipeline.ts';
import type { PipelineResources } from './resources.ts';
import { executionMinutes } from './timeouts.ts';

export interface PipelineMachineProps {
  /** Name of the deployment, and of the state machine: fixed, so that what it calls can be given its ARN. */
  readonly name: string;
  /** What its states use. */
  readonly resources: PipelineResources;
  readonly storage: Pick<Storage, 'key' | 'lakeBucket' | 'resultsBucket' | 'workgroupName' | 'databaseName'>;
  readonly logGroup: ILogGroup;
}

export class PipelineMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { name, resources, storage, logGroup }: PipelineMachineProps) {
    super(scope, id);
    const { cluster, functions, notifier } = resources;
    const { role, policy } = new ExecutionRole(this, 'Execution', {
      cluster,
      storage,
      functions: Object.values(functions).map((version) => version.lambda),
      notifierArn: notifier.stateMachineArn,
    });
    this.stateMachine = new StateMachine(this, 'Default', {
      stateMachineName: name,
      comment: 'Retrains the churn model from new event files and scores every living user',
      definitionBody: DefinitionBody.fromChainable(definePipeline({ scope: this, resources })),
      role,
      timeout: Duration.minutes(executionMinutes(cluster.spotTimeoutMinutes)),
      tracingEnabled: true,
      logs: stateMachineLogs(logGroup),
    });
    this.stateMachine.node.addDependency(policy);
  }
}
