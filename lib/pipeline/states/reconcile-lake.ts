/** The lake counted after the run, by an engine that is not Spark. */
import { Duration } from 'aws-cdk-lib';
import { IntegrationPattern, JsonPath, type TaskStateBase, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { AthenaStartQueryExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { RECONCILE_VALUES, reconcileQuery } from '../../../domain/reconcile.ts';
import type { Pipeline } from '../resources.ts';
import { ATHENA_RETRY } from '../retries.ts';
import { RECONCILE_MINUTES } from '../timeouts.ts';

/** Where StoreMetrics finds the query whose answer it reads. */
export const RECONCILE_QUERY_ID = JsonPath.stringAt('$.reconcile.queryExecutionId');

/** Counts the rows of this batch and run; result under `$.reconcile`. */
export function reconcileLake(on: Pipeline): TaskStateBase {
  return new AthenaStartQueryExecution(on.scope, 'ReconcileLake', {
    comment: 'Count what the tables hold of this batch and this run',
    integrationPattern: IntegrationPattern.RUN_JOB,
    // On one line: a line break has no place in a string of an intrinsic function.
    queryString: JsonPath.format(
      reconcileQuery().replaceAll('\n', ' '),
      ...RECONCILE_VALUES.map((value) => JsonPath.stringAt(`$.plan.${value}`)),
    ),
    workGroup: on.resources.workgroupName,
    queryExecutionContext: { databaseName: on.resources.databaseName },
    resultSelector: { queryExecutionId: JsonPath.stringAt('$.QueryExecution.QueryExecutionId') },
    resultPath: '$.reconcile',
    taskTimeout: Timeout.duration(Duration.minutes(RECONCILE_MINUTES)),
  }).addRetry(ATHENA_RETRY);
}
