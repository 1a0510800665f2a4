/** Executions of the state machine. */

/** `UNKNOWN`: there is no such execution, or it is not known any more. */
export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'UNKNOWN';

/** An execution that did not succeed. */
export interface FailedExecution {
  readonly runId: string;
  readonly executionArn: string;
  readonly status: ExecutionStatus;
  readonly startedAt: Date;
}

export interface Executions {
  status(executionArn: string): Promise<ExecutionStatus>;
  /** Executions started since then that failed, timed out or were aborted. The sweep needs them when an event is lost. */
  failedSince(since: Date): Promise<readonly FailedExecution[]>;
}
