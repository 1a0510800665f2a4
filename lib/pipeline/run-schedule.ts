/** Starts a run by the clock. */
import { Aws, Duration, TimeZone } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { arnOf } from '../arns.ts';
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
      role: schedulerRole(scope, `${id}Role`, key),
      input: ScheduleTargetInput.fromObject({}),
      deadLetterQueue: deadLetters,
      retryAttempts: 3,
      maxEventAge: Duration.hours(1),
    }),
  });
}

/** CDK lets it start the state machine, send to the queue and read its own input; to send, it needs the queue's key. */
function schedulerRole(scope: Construct, id: string, key: IKey): Role {
  const role = new Role(scope, id, {
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
  role.addToPolicy(
    new PolicyStatement({
      sid: 'EncryptDeadLetters',
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [key.keyArn],
    }),
  );
  return role;
}
