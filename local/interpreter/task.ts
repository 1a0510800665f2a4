/** What a handler of one kind of resource is. */
import type { Json } from '../template/template.ts';

export interface TaskContext {
  readonly stateName: string;
  /** Aborts when the state times out or the execution ends: the handler must then end what it started. */
  readonly signal: AbortSignal;
}

/** Does what the service would do, and gives what the service would answer. */
export type TaskHandler = (parameters: Json, context: TaskContext) => Promise<Json>;

/** Handlers by the kind of resource: `lambda:invoke`, `elasticmapreduce:addStep.sync`, ... */
export type TaskHandlers = Readonly<Record<string, TaskHandler>>;

/** Errors that no Retry and no Catch sees in AWS, not even with States.ALL: they end the execution. */
const UNCATCHABLE: readonly string[] = ['States.Runtime', 'States.DataLimitExceeded'];

/** A failure of a task as Step Functions shows it: `error` is what Retry and Catch match, `cause` a JSON document. */
export class TaskError extends Error {
  /** The interpreter asks every error for these two. */
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
