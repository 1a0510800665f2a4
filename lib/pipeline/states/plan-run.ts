/** The start of a run: what there is to do, and whether this run may do it. */
import {
  Choice,
  Condition,
  Fail,
  type IChainable,
  JsonPath,
  Succeed,
  TaskInput,
  type TaskStateBase,
} from 'aws-cdk-lib/aws-stepfunctions';
import { REFUSED_ERROR } from '../../../domain/operations.ts';
import type { PlanRunOutput } from '../../../domain/run.ts';
import type { Pipeline } from '../resources.ts';
import { described } from './described.ts';
import { IDENTITY, lambdaState } from './lambda-state.ts';

/** Checks the request, takes the lease, lists new files, sizes the cluster and writes the plan; result under `$.plan`. */
export function planRun(on: Pipeline): TaskStateBase {
  return lambdaState(on, 'PlanRun', {
    payload: TaskInput.fromObject({
      ...IDENTITY,
      startedAt: JsonPath.executionStartTime,
      request: JsonPath.entirePayload,
    }),
    // The result replaces the request, which may be any JSON.
    resultSelector: { plan: JsonPath.stringAt('$.Payload') },
  });
}

/** The decisions of PlanRun with which a run goes on. */
export type RunsOn = Extract<PlanRunOutput, { readonly planUri: string }>['decision'];

/** Branches on what PlanRun decided. */
export function anythingToDo(on: Pipeline, branches: Record<PlanRunOutput['decision'], IChainable>): Choice {
  const choice = new Choice(on.scope, 'AnythingToDo', described('AnythingToDo'));
  for (const [decision, branch] of Object.entries(branches)) {
    choice.when(Condition.stringEquals('$.plan.decision', decision), branch);
  }
  return choice;
}

/** Ends the execution in success. */
export function nothingToDo(on: Pipeline): Succeed {
  return new Succeed(on.scope, 'NothingToDo', described('NothingToDo'));
}

/** Fails an execution that was started while another run was in progress; the cause names that run. */
export function refused(on: Pipeline): Fail {
  return new Fail(on.scope, 'Refused', {
    ...described('Refused'),
    error: REFUSED_ERROR,
    causePath: '$.plan.reason',
  });
}
