/** What a run does after its cluster is gone: store its metrics, render its report, notify the subscribers. */
import { JsonPath, Succeed, TaskInput, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Notice } from '../../../domain/run.ts';
import type { Pipeline } from '../resources.ts';
import { NOTIFIER_RETRY } from '../retries.ts';
import { described, describedTask } from './described.ts';
import { IDENTITY, lambdaState } from './lambda-state.ts';
import { ALREADY_NOTIFIED } from './publish.ts';
import { RECONCILE_QUERY_ID } from './reconcile-lake.ts';

/** Compares the counts of the lake with those of the steps, then makes the run current; result under `$.metrics`. */
export function storeMetrics(on: Pipeline): TaskStateBase {
  return lambdaState(on, 'StoreMetrics', {
    payload: TaskInput.fromObject({
      ...IDENTITY,
      planUri: JsonPath.stringAt('$.plan.planUri'),
      reconcileQueryExecutionId: RECONCILE_QUERY_ID,
    }),
    resultSelector: { summary: JsonPath.stringAt('$.Payload.summary') },
    resultPath: '$.metrics',
  });
}

/** Renders the report; result under `$.report`. */
export function renderReport(on: Pipeline): TaskStateBase {
  return lambdaState(on, 'RenderReport', {
    payload: TaskInput.fromObject(IDENTITY),
    resultSelector: {
      reportUri: JsonPath.stringAt('$.Payload.reportUri'),
      link: JsonPath.stringAt('$.Payload.link'),
    },
    resultPath: '$.report',
  });
}

/** Has the notifier send the run's summary and the link to its report. If it was sent before, that is success too. */
export function notifySuccess(on: Pipeline): TaskStateBase {
  return new StepFunctionsStartExecution(on.scope, 'NotifySuccess', {
    ...describedTask('NotifySuccess'),
    stateMachine: on.resources.notifier,
    name: JsonPath.executionName,
    input: TaskInput.fromObject({
      subject: 'Churn model: run succeeded',
      text: JsonPath.format(
        '{} Report: {}',
        JsonPath.stringAt('$.metrics.summary'),
        JsonPath.stringAt('$.report.link'),
      ),
    } satisfies Notice),
    resultPath: JsonPath.DISCARD,
  })
    .addRetry(NOTIFIER_RETRY)
    .addCatch(new Succeed(on.scope, 'ToldBefore', described('ToldBefore')), {
      errors: [...ALREADY_NOTIFIED],
    });
}
