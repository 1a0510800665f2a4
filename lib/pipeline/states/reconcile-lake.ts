/** The lake counted after the run, by an engine that is not Spark. */
import { Duration } from 'aws-cdk-lib';
import { JsonPath, type TaskStateBase, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { AthenaStartQueryExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Pipeline } from '../resources.ts';
import { ATHENA_RETRY } from '../retries.ts';
import { RECONCILE_MINUTES } from '../timeouts.ts';

/** Where StoreMetrics finds the query whose answer it reads. */
export const RECONCILE_QUERY_ID = JsonPath.stringAt('$.reconcile.queryExecutionId');

/** Counts the rows of this batch and run; result under `$.reconcile`. */
export function reconcileLake(on: Pipeline): TaskStateBase {
  return new AthenaStartQueryExecution(on.scope, 'ReconcileLake', {
    comment: 'Count what the tables hold of this batch and this run',
    queryString: JsonPath.format(
      "SELECT 'events' AS table_name, count(*) AS counted FROM events WHERE batch_id = '{}'",
      JsonPath.stringAt('$.plan.batchId'),
    ),
    workGroup: on.resources.workgroupName,
    queryExecutionContext: { databaseName: on.resources.databaseName },
    resultSelector: { queryExecutionId: JsonPath.stringAt('$.QueryExecution.QueryExecutionId') },
    resultPath: '$.reconcile',
    taskTimeout: Timeout.duration(Duration.minutes(RECONCILE_MINUTES)),
  }).addRetry(ATHENA_RETRY);
}
