/** What is made of a run once the cluster is gone: its metrics, its report, and the news of it. */
import { Duration } from 'aws-cdk-lib';
import { JsonPath, Succeed, TaskInput, type TaskStateBase, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Notice } from '../../../domain/run.ts';
import type { Pipeline } from '../resources.ts';
import { NOTIFIER_RETRY } from '../retries.ts';
import { NOTIFY_MINUTES } from '../timeouts.ts';
import { IDENTITY, lambdaState } from './lambda-state.ts';
import { ALREADY_TOLD } from './publish.ts';
import { RECONCILE_QUERY_ID } from './reconcile-lake.ts';

/** Holds the lake's counts against the steps', and only then makes metrics, model and scores current; `$.metrics`. */
export function storeMetrics(on: Pipeline): TaskStateBase {
  return lambdaState(on, 'StoreMetrics', {
    functionName: 'store-metrics',
    comment:
      "Hold the lake's counts against the steps', store metrics and run record, promote the model or not",
    payload: TaskInput.fromObject({
      ...IDENTITY,
      planUri: JsonPath.stringAt('$.plan.planUri'),
      reconcileQueryExecutionId: RECONCILE_QUERY_ID,
    }),
    resultSelector: { summary: JsonPath.stringAt('$.Payload.summary') },
    resultPath: '$.metrics',
  });
}

/** Renders the report; `$.report`. */
export function renderReport(on: Pipeline): TaskStateBase {
  return lambdaState(on, 'RenderReport', {
    functionName: 'render-report',
    comment: 'Write one self-contained HTML page',
    payload: TaskInput.fromObject(IDENTITY),
    resultSelector: {
      reportUri: JsonPath.stringAt('$.Payload.reportUri'),
      link: JsonPath.stringAt('$.Payload.link'),
    },
    resultPath: '$.report',
  });
}

/** Has the notifier tell the run's summary and the link to its report. That it was told before is as good. */
export function notifySuccess(on: Pipeline): TaskStateBase {
  return new StepFunctionsStartExecution(on.scope, 'NotifySuccess', {
    comment: 'Tell the subscribers, once',
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
    taskTimeout: Timeout.duration(Duration.minutes(NOTIFY_MINUTES)),
  })
    .addRetry(NOTIFIER_RETRY)
    .addCatch(new Succeed(on.scope, 'ToldBefore', { comment: 'The try before this one had been heard' }), {
      errors: [...ALREADY_TOLD],
    });
}
