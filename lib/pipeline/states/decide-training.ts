/** Whether the run trains: the decision, and the branch that follows it. */
import {
  Choice,
  Condition,
  type IChainable,
  JsonPath,
  TaskInput,
  type TaskStateBase,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { TrainingDecision } from '../../../domain/training-decision.ts';
import type { Pipeline } from '../resources.ts';
import { described } from './described.ts';
import { IDENTITY, lambdaState } from './lambda-state.ts';

/** Writes the decision, which ChooseModel and StoreMetrics follow; it is under `$.training` with the reason. */
export function decideTraining(on: Pipeline): TaskStateBase {
  return lambdaState(on, 'DecideTraining', {
    payload: TaskInput.fromObject({ ...IDENTITY, planUri: JsonPath.stringAt('$.plan.planUri') }),
    resultSelector: {
      decision: JsonPath.stringAt('$.Payload.decision'),
      reason: JsonPath.stringAt('$.Payload.reason'),
    },
    resultPath: '$.training',
  });
}

/** Branches on what DecideTraining decided. */
export function trainOrNot(on: Pipeline, branches: Record<TrainingDecision['decision'], IChainable>): Choice {
  const choice = new Choice(on.scope, 'TrainOrNot', described('TrainOrNot'));
  for (const [decision, branch] of Object.entries(branches)) {
    choice.when(Condition.stringEquals('$.training.decision', decision), branch);
  }
  return choice;
}
