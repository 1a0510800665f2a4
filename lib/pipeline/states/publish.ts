/**
 * The notifier: notifies the subscribers of the outcome of a run, once. An execution is named like its run, and Step
 * Functions does not start a second one under the same name; within an execution the message is sent again only if SNS
 * has refused it.
 */
import { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type IChainable, JsonPath, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { SnsPublish } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { SNS_RETRY } from '../retries.ts';
import { PUBLISH_MINUTES } from '../timeouts.ts';

/** Errors of a state that starts the notifier for a run whose outcome was sent before; AWS uses both names. */
export const ALREADY_NOTIFIED = [
  'StepFunctions.ExecutionAlreadyExistsException',
  'StepFunctions.ExecutionAlreadyExists',
] as const;

/** Defines the notifier's one state; its input is a Notice. */
export function defineNotifier(scope: Construct, topic: ITopic): IChainable {
  return new SnsPublish(scope, 'Publish', {
    comment: 'Sends the message to the subscribers',
    topic,
    subject: JsonPath.stringAt('$.subject'),
    message: TaskInput.fromJsonPathAt('$.text'),
    messageAttributes: { runId: { value: JsonPath.executionName } },
    resultPath: JsonPath.DISCARD,
    taskTimeout: Timeout.duration(Duration.minutes(PUBLISH_MINUTES)),
  }).addRetry(SNS_RETRY);
}
