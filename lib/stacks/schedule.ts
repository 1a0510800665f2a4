/** Starts a run by the clock. */
import { Duration, TimeZone } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { Configuration } from '../configuration.ts';

export interface TrainingScheduleProps {
  readonly configuration: Configuration;
  readonly key: IKey;
  readonly stateMachine: IStateMachine;
  readonly deadLetters: IQueue;
}

/** A start that fails is tried again for a while, then kept in the dead-letter queue. */
export function trainingSchedule(scope: Construct, id: string, props: TrainingScheduleProps): Schedule {
  const { configuration, key, stateMachine, deadLetters } = props;
  const timeZone = TimeZone.of(configuration.scheduleTimeZone);
  return new Schedule(scope, id, {
    scheduleName: configuration.prefix,
    description: 'Retrains the churn model',
    schedule: ScheduleExpression.expression(configuration.scheduleExpression, timeZone),
    timeWindow: TimeWindow.flexible(Duration.minutes(configuration.scheduleWindowMinutes)),
    enabled: configuration.scheduleEnabled,
    key,
    target: new StepFunctionsStartExecution(stateMachine, {
      input: ScheduleTargetInput.fromObject({}),
      deadLetterQueue: deadLetters,
      retryAttempts: 3,
      maxEventAge: Duration.hours(1),
    }),
  });
}
