/** The path of a run that fails: CloseRun does what is left to do, then the execution fails. */
import { type Chain, Fail, JsonPath, TaskInput } from 'aws-cdk-lib/aws-stepfunctions';
import type { Pipeline } from '../resources.ts';
import { described } from './described.ts';
import { IDENTITY, lambdaState } from './lambda-state.ts';

/**
 * Closes the run after a caught error, which is the whole input of the state. Its answer, an error with an
 * explanation, goes on to `failing`; if CloseRun fails too, the caught error does.
 */
export function closeRun(on: Pipeline, failing: Fail): Chain {
  return lambdaState(on, 'CloseRun', {
    payload: TaskInput.fromObject({
      ...IDENTITY,
      startedAt: JsonPath.executionStartTime,
      failure: JsonPath.entirePayload,
    }),
    outputPath: '$.Payload',
  })
    .addCatch(failing, { resultPath: JsonPath.DISCARD })
    .next(failing);
}

/** Fails the execution. */
export function failed(on: Pipeline): Fail {
  return new Fail(on.scope, 'Failed', { ...described('Failed'), errorPath: '$.Error', causePath: '$.Cause' });
}
