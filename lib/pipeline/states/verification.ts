/** Where a run that only trains a stored model again leaves the path of the others. */
import { Choice, Condition, type IChainable, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { Pipeline } from '../resources.ts';
import { described } from './described.ts';
import type { RunsOn } from './plan-run.ts';

/** Branches on what PlanRun decided. */
export function verifyOr(
  on: Pipeline,
  name: 'VerifyOrIngest' | 'VerifyOrChoose' | 'VerifyOrReconcile',
  branches: Record<RunsOn, IChainable>,
): Choice {
  const choice = new Choice(on.scope, name, described(name));
  for (const [decision, branch] of Object.entries(branches)) {
    choice.when(Condition.stringEquals('$.plan.decision', decision), branch);
  }
  return choice;
}

/** Ends the execution in success. The command that asked for it compares the models: nothing of the run is current. */
export function trainedAgain(on: Pipeline): Succeed {
  return new Succeed(on.scope, 'TrainedAgain', described('TrainedAgain'));
}
