/** Counts the lake after the Spark steps, with an engine that is not Spark. */
import { IntegrationPattern, JsonPath, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import { AthenaStartQueryExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { RECONCILE_VALUES, reconcileQuery } from '../../../domain/reconcile.ts';
import type { Pipeline } from '../resources.ts';
import { ATHENA_RETRY } from '../retries.ts';
import { describedTask } from './described.ts';

/** Where StoreMetrics reads the id of the query whose answer it needs. */
export const RECONCILE_QUERY_ID = JsonPath.stringAt('$.reconcile.queryExecutionId');

/** Counts the rows of this batch and run; result under `$.reconcile`. */
export function reconcileLake(on: Pipeline): TaskStateBase {
  return new AthenaStartQueryExecution(on.scope, 'ReconcileLake', {
    ...describedTask('ReconcileLake'),
    integrationPattern: IntegrationPattern.RUN_JOB,
    // On one line: a string in an intrinsic function cannot contain a line break.
    queryString: JsonPath.format(
      reconcileQuery().replaceAll('\n', ' '),
      ...RECONCILE_VALUES.map((value) => JsonPath.stringAt(`$.plan.${value}`)),
    ),
    workGroup: on.resources.workgroupName,
    queryExecutionContext: { databaseName: on.resources.databaseName },
    resultSelector: { queryExecutionId: JsonPath.stringAt('$.QueryExecution.QueryExecutionId') },
    resultPath: '$.reconcile',
  }).addRetry(ATHENA_RETRY);
}
