/** The bad ending: clusters released, the run explained, recorded and announced, then the execution fails. */
import { type Chain, Fail, JsonPath, TaskInput } from 'aws-cdk-lib/aws-stepfunctions';
import type { Pipeline } from '../resources.ts';
import { IDENTITY, lambdaState } from './lambda-state.ts';

/**
 * Closes the run after a caught error, which is the whole of the state's input. Its answer, an error with an
 * explanation, goes on to `failing`; when it fails itself, the error that was caught does.
 */
export function closeRun(on: Pipeline, failing: Fail): Chain {
  return lambdaState(on, 'CloseRun', {
    functionName: 'close-run',
    comment: 'End the clusters, explain, write the run record, free the lease, tell the subscribers',
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

export function failed(on: Pipeline): Fail {
  return new Fail(on.scope, 'Failed', { errorPath: '$.Error', causePath: '$.Cause' });
}
