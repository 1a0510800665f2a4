/** The handlers of task states, one for each kind of resource. */
import type { Json } from '../template/intrinsics.ts';

export interface TaskContext {
  readonly stateName: string;
  /** Aborts when the state times out or the execution ends: the handler must then stop what it started. */
  readonly signal: AbortSignal;
}

/** Does what the service would do, and returns what the service would answer. */
export type TaskHandler = (parameters: Json, context: TaskContext) => Promise<Json>;

/** Handlers by the kind of resource: `lambda:invoke`, `elasticmapreduce:addStep.sync`, ... */
export type TaskHandlers = Readonly<Record<string, TaskHandler>>;

/** Errors that no Retry or Catch handles in AWS, not even with States.ALL: they fail the execution. */
const UNCATCHABLE: readonly string[] = ['States.Runtime', 'States.DataLimitExceeded'];

/** A failure of a task as Step Functions reports it: Retry and Catch match `error`; `cause` is a JSON document. */
export class TaskError extends Error {
  /** The interpreter reads these two properties of every error. */
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;

  constructor(error: string, cause: string) {
    super(cause);
    this.name = error;
    this.isRetryable = !UNCATCHABLE.includes(error);
    this.isCatchable = this.isRetryable;
  }
}

/** A service's failure, with its answer as the cause. */
export function taskFailed(answer: Json): TaskError {
  return new TaskError('States.TaskFailed', JSON.stringify(answer));
}
