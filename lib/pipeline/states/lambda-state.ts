/** A state that calls one of the project's Lambdas and passes on what it returns. */
import { JsonPath, type TaskInput, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { type LambdaStateName, STATES } from '../../../domain/states.ts';
import type { Pipeline } from '../resources.ts';
import { LAMBDA_RETRY } from '../retries.ts';
import { describedTask } from './described.ts';

interface LambdaState {
  readonly payload: TaskInput;
  /** Shapes the state's result from the answer, whose `$.Payload` is what the function returned. */
  readonly resultSelector?: Record<string, string>;
  readonly resultPath?: string;
  readonly outputPath?: string;
}

/** Name and ARN of the execution, which identify the run. */
export const IDENTITY = {
  runId: JsonPath.executionName,
  executionArn: JsonPath.executionId,
} as const;

/** Calls the Lambda that belongs to the state. */
export function lambdaState(on: Pipeline, name: LambdaStateName, state: LambdaState): TaskStateBase {
  return new LambdaInvoke(on.scope, name, {
    ...state,
    ...describedTask(name),
    lambdaFunction: on.resources.functions[STATES[name].functionName],
    retryOnServiceExceptions: false,
  }).addRetry(LAMBDA_RETRY);
}
