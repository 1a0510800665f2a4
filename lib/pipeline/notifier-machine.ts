/** The state machine that notifies the subscribers, with the permissions to do that and nothing else. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { notifierName } from '../../domain/operations.ts';
import type { Configuration } from '../configuration.ts';
import { LOG_GROUP_NAMES, stateMachineLogs } from '../monitoring/log-groups.ts';
import { stateMachineRole, useKey } from './state-machine-role.ts';
import { defineNotifier } from './states/publish.ts';

export interface NotifierProps {
  readonly configuration: Configuration;
  readonly key: IKey;
  readonly topic: ITopic;
}

/** Makes the state machine. */
export function notifier(
  scope: Construct,
  id: string,
  { configuration, key, topic }: NotifierProps,
): StateMachine {
  const { role, policy } = stateMachineRole(scope, `${id}Execution`, {
    description: 'Notifies the subscribers about runs of the churn pipeline',
    statements: [
      new PolicyStatement({
        sid: 'NotifySubscribers',
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
      }),
      useKey(key),
    ],
  });
  const machine = new StateMachine(scope, id, {
    stateMachineName: notifierName(configuration.prefix),
    comment: 'Notifies the subscribers of the outcome of a run, once',
    definitionBody: DefinitionBody.fromChainable(defineNotifier(scope, topic)),
    role: role.withoutPolicyUpdates(),
    tracingEnabled: true,
    logs: stateMachineLogs(scope, `${id}Logs`, {
      configuration,
      key,
      name: LOG_GROUP_NAMES.stateMachine(notifierName(configuration.prefix)),
    }),
  });
  machine.node.addDependency(policy);
  return machine;
}
