/** The pipeline itself: the state machine, its Lambdas, the notifications, and what closes a run that failed. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { each } from '../../domain/each.ts';
import { FUNCTION_NAMES, type FunctionName, notifierName } from '../../domain/operations.ts';
import type { Compute } from '../compute/compute-stack.ts';
import { SecurityConfiguration } from '../compute/security-configuration.ts';
import type { Configuration } from '../configuration.ts';
import { LOG_GROUP_NAMES, PipelineLogGroup } from '../pipeline-log-group.ts';
import type { Storage } from '../storage/storage-stack.ts';
import { ClosingRules } from './closing-rules.ts';
import { DeadLetters } from './dead-letters.ts';
import { functionEnvironment } from './function-environment.ts';
import { functionStatements } from './function-statements.ts';
import { type ExistingTopic, Notifications } from './notifications.ts';
import { NotifierMachine } from './notifier-machine.ts';
import { PipelineFunction } from './pipeline-function.ts';
import { PipelineMachine } from './pipeline-machine.ts';
import { RunSchedule } from './run-schedule.ts';

export interface PipelineStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly storage: Storage;
  readonly compute: Compute;
}

/** What is watched of the pipeline. */
export interface WatchedPipeline {
  readonly stateMachine: IStateMachine;
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  /** Takes the messages about runs and alarms. */
  readonly notifications: ITopic;
  /** Notifies the subscribers of the outcome of a run, once. */
  readonly notifier: IStateMachine;
  /** Starts, events and calls that failed for good. */
  readonly deadLetters: IQueue;
}

export class PipelineStack extends Stack implements WatchedPipeline {
  readonly stateMachine: IStateMachine;
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  readonly notifications: ITopic;
  readonly notifier: IStateMachine;
  readonly deadLetters: IQueue;

  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);
    const { configuration, storage, compute } = props;
    const { prefix } = configuration;
    const { key } = storage;
    const logGroup = (logGroupId: string, name: string): ILogGroup =>
      new PipelineLogGroup(this, logGroupId, { configuration, key, name }).logGroup;

    const notifications = new Notifications(this, 'Notifications', {
      prefix,
      key,
      email: configuration.alarmEmail,
      existing: existingTopicOf(configuration),
    });
    this.notifications = notifications.topic;
    this.notifier = new NotifierMachine(this, 'Notifier', {
      prefix,
      key: notifications.key,
      topic: this.notifications,
      logGroup: logGroup('NotifierLogs', LOG_GROUP_NAMES.stateMachine(notifierName(prefix))),
    }).stateMachine;
    this.deadLetters = new DeadLetters(this, 'DeadLetters', { key }).queue;

    const notifierArn = this.notifier.stateMachineArn;
    const environment = functionEnvironment({
      configuration,
      storage,
      cluster: compute.cluster,
      release: compute.release,
      trainingRelease: compute.trainingRelease,
      notifierArn,
    });
    const statements = functionStatements({
      storage,
      pipelineName: prefix,
      stateMachineName: prefix,
      notifierArn,
    });
    const lambdas = each(
      FUNCTION_NAMES,
      (name) =>
        new PipelineFunction(this, name, {
          name,
          prefix,
          key,
          logGroup: logGroup(`${name}-logs`, LOG_GROUP_NAMES.function(prefix, name)),
          environment,
          statements: statements[name],
          // The rule and the sweep call close-run asynchronously: no caller sees that it failed.
          ...(name === 'close-run' ? { deadLetters: this.deadLetters } : {}),
        }),
    );
    this.functions = each(FUNCTION_NAMES, (name) => lambdas[name].function);

    this.stateMachine = new PipelineMachine(this, 'StateMachine', {
      name: prefix,
      resources: {
        functions: each(FUNCTION_NAMES, (name) => lambdas[name].version),
        steps: compute.steps,
        cluster: compute.cluster,
        securityConfigurationName: new SecurityConfiguration(this, 'SecurityConfiguration', {
          key,
          certificatesUri: configuration.certificatesUri,
        }).configurationName,
        workgroupName: storage.workgroupName,
        databaseName: storage.databaseName,
        notifier: this.notifier,
      },
      storage,
      logGroup: logGroup('StateMachineLogs', LOG_GROUP_NAMES.stateMachine(prefix)),
    }).stateMachine;
    const { stateMachine, deadLetters } = this;
    new ClosingRules(this, 'Closing', {
      closeRun: this.functions['close-run'],
      stateMachine,
      deadLetters,
    });
    new RunSchedule(this, 'Schedule', { configuration, key, stateMachine, deadLetters });
    new CfnOutput(this, 'StateMachineArn', {
      value: stateMachine.stateMachineArn,
      description: 'What to start for a run',
    });
  }
}

function existingTopicOf({ alarmTopicArn, alarmTopicKeyArn }: Configuration): ExistingTopic | undefined {
  return alarmTopicArn === undefined ? undefined : { topicArn: alarmTopicArn, keyArn: alarmTopicKeyArn };
}
