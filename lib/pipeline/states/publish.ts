/**
 * Tells the subscribers what became of a run, once. An execution is named like its run, and Step Functions starts no
 * second one under a name that was used; within it the message is sent again only if SNS has refused it.
 */
import { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type IChainable, JsonPath, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { SnsPublish } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { SNS_RETRY } from '../retries.ts';
import { PUBLISH_MINUTES } from '../timeouts.ts';

/** What a state that starts the notifier gets when the run was told before; AWS writes its errors both ways. */
export const ALREADY_TOLD = [
  'StepFunctions.ExecutionAlreadyExistsException',
  'StepFunctions.ExecutionAlreadyExists',
] as const;

/** Defines the notifier's one state; its input is a Notice. */
export function defineNotifier(scope: Construct, topic: ITopic): IChainable {
  return new SnsPublish(scope, 'Publish', {
    comment: 'Tell the subscribers',
    topic,
    subject: JsonPath.stringAt('$.subject'),
    message: TaskInput.fromJsonPathAt('$.text'),
    messageAttributes: { runId: { value: JsonPath.executionName } },
    resultPath: JsonPath.DISCARD,
    taskTimeout: Timeout.duration(Duration.minutes(PUBLISH_MINUTES)),
  }).addRetry(SNS_RETRY);
}
