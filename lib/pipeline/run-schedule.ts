/** Starts a run by the clock. */
import { Aws, Duration, TimeZone } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { arnOf } from '../arns.ts';
import type { Configuration } from '../configuration.ts';
import { useKey } from '../storage/data-key.ts';

export interface RunScheduleProps {
  /** Says when, in which time zone, and whether at all. */
  readonly configuration: Configuration;
  /** Encrypts the input and the dead letters. */
  readonly key: IKey;
  readonly stateMachine: IStateMachine;
  /** Takes starts that failed for good. */
  readonly deadLetters: IQueue;
}

/** A start that fails is retried for an hour, then kept in the dead-letter queue. */
export class RunSchedule extends Construct {
  constructor(scope: Construct, id: string, props: RunScheduleProps) {
    super(scope, id);
    const { configuration, key, stateMachine, deadLetters } = props;
    const timeZone = TimeZone.of(configuration.scheduleTimeZone);
    new Schedule(this, 'Default', {
      scheduleName: configuration.prefix,
      description: 'Retrains the churn model',
      schedule: ScheduleExpression.expression(configuration.scheduleExpression, timeZone),
      timeWindow: TimeWindow.flexible(Duration.minutes(configuration.scheduleWindowMinutes)),
      enabled: configuration.scheduleEnabled,
      key,
      target: new StepFunctionsStartExecution(stateMachine, {
        role: this.#role(key),
        input: ScheduleTargetInput.fromObject({}),
        deadLetterQueue: deadLetters,
        retryAttempts: 3,
        maxEventAge: Duration.hours(1),
      }),
    });
  }

  /** CDK lets it start the state machine, send to the queue and read its own input; to send, it needs the queue's key. */
  #role(key: IKey): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': Aws.ACCOUNT_ID,
            'aws:SourceArn': arnOf('scheduler', 'schedule-group/default'),
          },
        },
      }),
      description: 'Starts runs by the clock',
    });
    role.addToPolicy(useKey(key));
    return role;
  }
}
