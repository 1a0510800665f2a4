/** The Executions port over Step Functions. */
import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  paginateListExecutions,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { EndedExecution, ExecutionStatus, Executions } from '../ports/ports.ts';

const BAD_ENDINGS = ['FAILED', 'TIMED_OUT', 'ABORTED'] as const;

export class StepFunctionsExecutions implements Executions {
  readonly #client: SFNClient;
  readonly #stateMachineArn: string;

  constructor(client: SFNClient, stateMachineArn: string) {
    this.#client = client;
    this.#stateMachineArn = stateMachineArn;
  }

  async status(executionArn: string): Promise<ExecutionStatus> {
    try {
      const { status } = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
      // About to be redriven: it will run again.
      return status === 'PENDING_REDRIVE' ? 'RUNNING' : (status ?? 'UNKNOWN');
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return 'UNKNOWN';
      throw error;
    }
  }

  async endedBadly(since: Date): Promise<readonly EndedExecution[]> {
    const lists = await Promise.all(BAD_ENDINGS.map((status) => this.#startedSince(since, status)));
    return lists.flat();
  }

  /** The listing begins with the latest start, so it is read no further than needed. */
  async #startedSince(since: Date, status: (typeof BAD_ENDINGS)[number]): Promise<EndedExecution[]> {
    const executions: EndedExecution[] = [];
    const filter = { stateMachineArn: this.#stateMachineArn, statusFilter: status };
    for await (const page of paginateListExecutions({ client: this.#client }, filter)) {
      for (const { name, executionArn, startDate } of page.executions ?? []) {
        if (startDate === undefined || startDate < since) return executions;
        executions.push({
          runId: name ?? '',
          executionArn: executionArn ?? '',
          status,
          startedAt: startDate,
        });
      }
    }
    return executions;
  }
}
