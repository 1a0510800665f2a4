/** The pipeline itself: the state machine, its Lambdas, who is told, and what closes a run that ended badly. */
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { each } from '../../domain/each.ts';
import { DATABASE } from '../../domain/lake.ts';
import { ENVIRONMENT, type Fleets, FUNCTION_NAMES, type FunctionName } from '../../domain/operations.ts';
import { arnOf } from '../arns.ts';
import type { ComputeStack } from '../compute/compute-stack.ts';
import type { Configuration } from '../configuration.ts';
import { LOG_GROUP_NAMES, stateMachineLogs } from '../monitoring/log-groups.ts';
import type { StorageStack } from '../storage/storage-stack.ts';
import { executionRole } from './execution-role.ts';
import { functionStatements } from './function-statements.ts';
import { notifier } from './notifier-machine.ts';
import { definePipeline } from './pipeline.ts';
import { pipelineFunction } from './pipeline-function.ts';
import { trainingSchedule } from './schedule.ts';
import { executionMinutes } from './timeouts.ts';

export interface PipelineStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly storage: StorageStack;
  readonly compute: ComputeStack;
}

/** How often every execution that ended badly, and every cluster without one, is looked for. */
const SWEEP_MINUTES = 15;

export class PipelineStack extends Stack {
  readonly stateMachine: StateMachine;
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  readonly notifications: Topic;
  /** Tells what became of a run, once. */
  readonly notifier: StateMachine;
  /** Starts, events and calls that reached nobody. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);
    const { configuration, storage } = props;
    this.notifications = this.topic(props);
    this.notifier = notifier(this, 'Notifier', {
      configuration,
      key: storage.key,
      topic: this.notifications,
    });
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: storage.key,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.functions = this.lambdas(props);
    this.stateMachine = this.machine(props);
    this.closeWhatEndedBadly();
    new CfnOutput(this, 'StateMachineArn', {
      value: this.stateMachine.stateMachineArn,
      description: 'What to start for a run',
    });
    trainingSchedule(this, 'Schedule', {
      configuration,
      key: storage.key,
      stateMachine: this.stateMachine,
      deadLetters: this.deadLetters,
    });
  }

  private topic({ configuration, storage }: PipelineStackProps): Topic {
    const topic = new Topic(this, 'Notifications', {
      topicName: `${configuration.prefix}-notifications`,
      displayName: 'Churn pipeline',
      masterKey: storage.key,
      enforceSSL: true,
    });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublish',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    if (configuration.alarmEmail !== undefined)
      topic.addSubscription(new EmailSubscription(configuration.alarmEmail));
    return topic;
  }

  private lambdas({
    configuration,
    storage,
    compute: { cluster },
  }: PipelineStackProps): Readonly<Record<FunctionName, IFunction>> {
    // The state machine's name is fixed, so that the Lambdas it calls can be told its ARN without a circle.
    const statements = functionStatements({
      storage,
      pipelineName: configuration.prefix,
      stateMachineName: configuration.prefix,
      notifierArn: this.notifier.stateMachineArn,
    });
    const environment = {
      [ENVIRONMENT.lakeRoot]: storage.lakeRoot,
      [ENVIRONMENT.eventsRoot]: storage.eventsRoot,
      [ENVIRONMENT.runSettings]: JSON.stringify(configuration.run),
      [ENVIRONMENT.notifierArn]: this.notifier.stateMachineArn,
      [ENVIRONMENT.stateMachineArn]: arnOf('states', `stateMachine:${configuration.prefix}`),
      [ENVIRONMENT.pipelineName]: configuration.prefix,
      [ENVIRONMENT.fleets]: JSON.stringify({
        primary: cluster.primaryInstanceTypes,
        core: cluster.coreInstanceTypes,
        task: cluster.taskInstanceTypes,
      } satisfies Fleets),
      [ENVIRONMENT.subnetIds]: cluster.subnetIds.join(','),
    };
    return each(FUNCTION_NAMES, (name) =>
      pipelineFunction(this, name, {
        configuration,
        key: storage.key,
        environment,
        statements: statements[name],
        // The rule and the sweep call close-run asynchronously: no caller sees that it failed.
        ...(name === 'close-run' ? { deadLetters: this.deadLetters } : {}),
      }),
    );
  }

  private machine(props: PipelineStackProps): StateMachine {
    const { configuration, storage, compute } = props;
    const { role, policy } = executionRole(this, 'Execution', {
      compute,
      storage,
      functions: Object.values(this.functions),
      notifierArn: this.notifier.stateMachineArn,
    });
    const resources = {
      functions: this.functions,
      steps: compute.steps,
      cluster: compute.cluster,
      workgroupName: storage.workgroupName,
      databaseName: DATABASE,
      notifier: this.notifier,
    };
    const machine = new StateMachine(this, 'StateMachine', {
      stateMachineName: configuration.prefix,
      comment: 'Retrains the churn model from new event files and scores every living user',
      definitionBody: DefinitionBody.fromChainable(definePipeline({ scope: this, resources })),
      role: role.withoutPolicyUpdates(),
      timeout: Duration.minutes(executionMinutes(compute.cluster.spotTimeoutMinutes)),
      tracingEnabled: true,
      logs: stateMachineLogs(this, 'StateMachineLogs', {
        configuration,
        key: storage.key,
        name: LOG_GROUP_NAMES.stateMachine(configuration.prefix),
      }),
    });
    machine.node.addDependency(policy);
    return machine;
  }

  /** What no Catch sees (an abort, an execution's time-out, a broken definition), and what no event told of. */
  private closeWhatEndedBadly(): void {
    const target = { deadLetterQueue: this.deadLetters, retryAttempts: 8, maxEventAge: Duration.hours(2) };
    new Rule(this, 'EndedBadly', {
      description: 'Executions that failed, timed out or were aborted are closed',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: [this.stateMachine.stateMachineArn],
        },
      },
      targets: [new LambdaFunction(this.functions['close-run'], target)],
    });
    new Rule(this, 'Sweep', {
      description: 'What no event told of is closed too',
      schedule: Schedule.rate(Duration.minutes(SWEEP_MINUTES)),
      targets: [
        new LambdaFunction(this.functions['close-run'], {
          ...target,
          event: RuleTargetInput.fromObject({ sweep: true }),
        }),
      ],
    });
  }
}
