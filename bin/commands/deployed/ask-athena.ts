/** A query of a deployed lake, in its own workgroup, with the user's own credentials. */

import { setTimeout } from 'node:timers/promises';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  QueryExecutionState,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { AthenaSql } from '../../../lambda/aws/athena-sql.ts';
import type { DeployedPipeline } from './deployed-pipeline.ts';
import { DeployedError, withRemedy } from './errors.ts';
import { regionOf, stateMachineNameOf } from './names.ts';

const ASK_AGAIN_MILLISECONDS = 700;

/** @throws DeployedError when Athena refuses the statement */
export async function askAthena(
  pipeline: Pick<DeployedPipeline, 'stateMachineArn' | 'database'>,
  statement: string,
): ReturnType<AthenaSql['results']> {
  const { stateMachineArn } = pipeline;
  const client = new AthenaClient({ region: regionOf(stateMachineArn) });
  try {
    // The workgroup has the name of the deployment, as the state machine does.
    const WorkGroup = stateMachineNameOf(stateMachineArn);
    const { QueryExecutionId = '' } = await client.send(
      new StartQueryExecutionCommand({
        QueryString: statement,
        WorkGroup,
        QueryExecutionContext: { Database: await pipeline.database() },
      }),
    );
    for (;;) {
      const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId }));
      const { State, StateChangeReason = 'no reason was given' } = QueryExecution?.Status ?? {};
      if (State === QueryExecutionState.SUCCEEDED)
        return await new AthenaSql(client).results(QueryExecutionId);
      if (State === QueryExecutionState.FAILED || State === QueryExecutionState.CANCELLED) {
        throw new DeployedError(
          `Athena could not answer: ${StateChangeReason}. Correct the statement and ask again.`,
        );
      }
      await setTimeout(ASK_AGAIN_MILLISECONDS);
    }
  } catch (error) {
    throw withRemedy(error);
  }
}
