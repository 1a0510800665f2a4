/** Queries of the command line in the deployment's own workgroup, which limits what a query may read. */
import {
  type AthenaClient,
  GetQueryExecutionCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { DATABASE } from '../../../domain/lake.ts';
import { AthenaSql } from '../../../lambda/aws/athena-sql.ts';
import type { Clock } from '../../../lambda/ports/clock.ts';
import type { AnswerRow } from '../../../lambda/ports/sql.ts';
import { DeployedError } from './errors.ts';

const POLL_MILLISECONDS = 1_000;
const MOST_POLLS = 300;

export class AthenaQueries {
  readonly #client: AthenaClient;
  readonly #workGroup: string;
  readonly #clock: Clock;

  constructor(client: AthenaClient, workGroup: string, clock: Clock) {
    this.#client = client;
    this.#workGroup = workGroup;
    this.#clock = clock;
  }

  /** @throws DeployedError with Athena's reason if the query fails, or takes more than five minutes */
  async rows(sql: string): Promise<readonly AnswerRow[]> {
    const { QueryExecutionId: id = '' } = await this.#client.send(
      new StartQueryExecutionCommand({
        QueryString: sql,
        WorkGroup: this.#workGroup,
        QueryExecutionContext: { Database: DATABASE },
      }),
    );
    for (let poll = 0; poll < MOST_POLLS; poll += 1) {
      const { QueryExecution } = await this.#client.send(
        new GetQueryExecutionCommand({ QueryExecutionId: id }),
      );
      const { State, StateChangeReason } = QueryExecution?.Status ?? {};
      if (State === 'SUCCEEDED') return new AthenaSql(this.#client).results(id);
      if (State === 'FAILED' || State === 'CANCELLED') {
        throw new DeployedError(`Athena could not run the query ${id}: ${StateChangeReason ?? State}.`);
      }
      await this.#clock.wait(POLL_MILLISECONDS);
    }
    throw new DeployedError(
      `The query ${id} takes more than five minutes: look at it in the console of Athena.`,
    );
  }
}
