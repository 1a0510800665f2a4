/** A state that calls one of the project's Lambdas and hands on what it returns. */
import { Duration } from 'aws-cdk-lib';
import { JsonPath, type TaskInput, type TaskStateBase, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { FunctionName } from '../../../domain/operations.ts';
import type { Pipeline } from '../resources.ts';
import { LAMBDA_RETRY } from '../retries.ts';
import { LAMBDA_STATE_MINUTES } from '../timeouts.ts';

interface LambdaState {
  readonly functionName: FunctionName;
  readonly payload: TaskInput;
  readonly comment: string;
  /** Shapes the state's result from the answer, whose `$.Payload` is what the function returned. */
  readonly resultSelector?: Record<string, string>;
  readonly resultPath?: string;
  readonly outputPath?: string;
}

/** Name and ARN of the execution: who the run is. */
export const IDENTITY = {
  runId: JsonPath.executionName,
  executionArn: JsonPath.executionId,
} as const;

/** @param name the state's name, as the console's picture shows it */
export function lambdaState(on: Pipeline, name: string, state: LambdaState): TaskStateBase {
  const { functionName, ...invocation } = state;
  return new LambdaInvoke(on.scope, name, {
    ...invocation,
    lambdaFunction: on.resources.functions[functionName],
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(Duration.minutes(LAMBDA_STATE_MINUTES)),
  }).addRetry(LAMBDA_RETRY);
}
