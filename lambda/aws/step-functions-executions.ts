/** The Executions port over Step Functions. */
import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  paginateListExecutions,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { ExecutionStatus, Executions, FailedExecution } from '../ports/executions.ts';

const FAILURES = ['FAILED', 'TIMED_OUT', 'ABORTED'] as const;

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
      // It is about to be redriven, and will run again.
      return status === 'PENDING_REDRIVE' ? 'RUNNING' : (status ?? 'UNKNOWN');
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return 'UNKNOWN';
      throw error;
    }
  }

  async failedSince(since: Date): Promise<readonly FailedExecution[]> {
    const lists = await Promise.all(FAILURES.map((status) => this.#startedSince(since, status)));
    return lists.flat();
  }

  /** The listing starts with the latest execution, so it is read no further than needed. */
  async #startedSince(since: Date, status: (typeof FAILURES)[number]): Promise<FailedExecution[]> {
    const executions: FailedExecution[] = [];
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
