/** Who scores: the run's new model, the champion, or nobody. */
import { JsonPath, TaskInput, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import type { Pipeline } from '../resources.ts';
import { IDENTITY, lambdaState } from './lambda-state.ts';

/** Writes the choice, which ScoreUsers and StoreMetrics follow; whose model scores and why are under `$.choice`. */
export function chooseModel(on: Pipeline): TaskStateBase {
  return lambdaState(on, 'ChooseModel', {
    payload: TaskInput.fromObject({ ...IDENTITY, planUri: JsonPath.stringAt('$.plan.planUri') }),
    resultSelector: {
      scores: JsonPath.stringAt('$.Payload.scores'),
      reason: JsonPath.stringAt('$.Payload.reason'),
    },
    resultPath: '$.choice',
  });
}
