/** The state machine that notifies the subscribers, with the permissions to do that and nothing else. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { notifierName } from '../../domain/operations.ts';
import { stateMachineLogs } from '../pipeline-log-group.ts';
import { useKey } from '../storage/data-key.ts';
import { StateMachineRole } from './state-machine-role.ts';
import { defineNotifier } from './states/publish.ts';

export interface NotifierMachineProps {
  /** Name of the deployment: the machine's name begins with it. */
  readonly prefix: string;
  /** Customer key that encrypts the topic, if one does. */
  readonly key: IKey | undefined;
  readonly topic: ITopic;
  readonly logGroup: ILogGroup;
}

/** Its executions are named like the runs, so that no run is notified about twice. */
export class NotifierMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { prefix, key, topic, logGroup }: NotifierMachineProps) {
    super(scope, id);
    const { role, policy } = new StateMachineRole(this, 'Execution', {
      description: 'Notifies the subscribers about runs of the churn pipeline',
      statements: [
        new PolicyStatement({
          sid: 'NotifySubscribers',
          actions: ['sns:Publish'],
          resources: [topic.topicArn],
        }),
        ...(key === undefined ? [] : [useKey(key)]),
      ],
    });
    this.stateMachine = new StateMachine(this, 'Default', {
      stateMachineName: notifierName(prefix),
      comment: 'Notifies the subscribers of the outcome of a run, once',
      definitionBody: DefinitionBody.fromChainable(defineNotifier(this, topic)),
      role,
      tracingEnabled: true,
      logs: stateMachineLogs(logGroup),
    });
    this.stateMachine.node.addDependency(policy);
  }
}
