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

/** A state that does work, from its start to its end with all its retries. */
export interface StateVisit {
  readonly state: string;
  readonly from: Date;
  /** Null while it lasts. */
  readonly to: Date | null;
}

export interface Executions {
  status(executionArn: string): Promise<ExecutionStatus>;
  /** The states with work that an execution has been in so far, in order. */
  visits(executionArn: string): Promise<readonly StateVisit[]>;
  /** Executions started since then that failed, timed out or were aborted. The sweep needs them when an event is lost. */
  failedSince(since: Date): Promise<readonly FailedExecution[]>;
}
