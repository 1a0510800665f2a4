/** The Executions port over Step Functions. */
import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  type HistoryEvent,
  paginateGetExecutionHistory,
  paginateListExecutions,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { ExecutionStatus, Executions, FailedExecution, StateVisit } from '../ports/executions.ts';

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

  async visits(executionArn: string): Promise<readonly StateVisit[]> {
    const request = { executionArn, includeExecutionData: false, maxResults: 1_000 };
    const events: HistoryEvent[] = [];
    for await (const page of paginateGetExecutionHistory({ client: this.#client }, request)) {
      events.push(...(page.events ?? []));
    }
    return visitsOf(events);
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

/** States are entered and left one after another: a run has no two of them at once. */
function visitsOf(events: readonly HistoryEvent[]): readonly StateVisit[] {
  const exited = events.filter(({ type }) => type === 'TaskStateExited');
  return events
    .filter(({ type }) => type === 'TaskStateEntered')
    .map(({ id = 0, timestamp = new Date(0), stateEnteredEventDetails: entered }) => {
      const state = entered?.name ?? '';
      const end = exited.find(
        (event) => (event.id ?? 0) > id && event.stateExitedEventDetails?.name === state,
      );
      return { state, from: timestamp, to: end?.timestamp ?? null };
    });
}
