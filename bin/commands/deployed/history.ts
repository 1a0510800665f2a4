/** Turns an execution's history into the same state events that a local run reports. */
import type { StateEvent } from '../../../local/interpreter/interpreter.ts';

/** The fields that are read of an event of GetExecutionHistory. */
export interface HistoryEvent {
  readonly id?: number | undefined;
  readonly previousEventId?: number | undefined;
  readonly timestamp?: Date | undefined;
  readonly type?: string | undefined;
  readonly stateEnteredEventDetails?: { readonly name?: string | undefined } | undefined;
  readonly stateExitedEventDetails?: { readonly name?: string | undefined } | undefined;
  readonly taskFailedEventDetails?: ErrorDetails | undefined;
  readonly taskTimedOutEventDetails?: ErrorDetails | undefined;
  readonly taskSubmitFailedEventDetails?: ErrorDetails | undefined;
  readonly taskStartFailedEventDetails?: ErrorDetails | undefined;
  readonly lambdaFunctionFailedEventDetails?: ErrorDetails | undefined;
  readonly lambdaFunctionTimedOutEventDetails?: ErrorDetails | undefined;
}

interface ErrorDetails {
  readonly error?: string | undefined;
}

/** The state that an event belongs to: only the first event of a state names it, the others refer to their previous event. */
interface Position {
  readonly state: string;
  readonly stateType: string;
  readonly hasFailed: boolean;
}

const ENTERED = /^(\w+)StateEntered$/;
const EXITED = /^(\w+)StateExited$/;
const FAILED = /^(Task|LambdaFunction)\w*(Failed|TimedOut)$/;
const SCHEDULED = /^(Task|LambdaFunction)Scheduled$/;

/** Reads a history as it grows. */
export class HistoryReader {
  readonly #positions = new Map<number, Position>();
  #lastId = 0;

  /** Returns the state events of those events that were not read before. */
  read(events: readonly HistoryEvent[]): readonly StateEvent[] {
    const fresh = events
      .filter(({ id }) => (id ?? 0) > this.#lastId)
      .sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
    return fresh.flatMap((event) => this.#stateEvents(event));
  }

  #stateEvents(event: HistoryEvent): readonly StateEvent[] {
    const { id = 0, type = '', timestamp: at = new Date(0) } = event;
    this.#lastId = id;
    const enteredType = ENTERED.exec(type)?.[1];
    if (enteredType !== undefined) {
      const position = {
        state: event.stateEnteredEventDetails?.name ?? '',
        stateType: enteredType,
        hasFailed: false,
      };
      this.#positions.set(id, position);
      return [{ kind: 'entered', state: position.state, stateType: enteredType, at }];
    }
    const before = this.#positions.get(event.previousEventId ?? 0);
    const exitedType = EXITED.exec(type)?.[1];
    if (exitedType !== undefined) {
      const state = event.stateExitedEventDetails?.name ?? before?.state ?? '';
      return [{ kind: 'exited', state, stateType: exitedType, at }];
    }
    if (before === undefined) return [];
    const { state, stateType } = before;
    if (FAILED.test(type)) {
      this.#positions.set(id, { ...before, hasFailed: true });
      return [{ kind: 'failed', state, stateType, at, error: errorOf(event) }];
    }
    if (SCHEDULED.test(type) && before.hasFailed) {
      this.#positions.set(id, { ...before, hasFailed: false });
      return [{ kind: 'retried', state, stateType, at }];
    }
    this.#positions.set(id, before);
    return [];
  }
}

function errorOf(event: HistoryEvent): string {
  const details =
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails ??
    event.taskSubmitFailedEventDetails ??
    event.taskStartFailedEventDetails ??
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionTimedOutEventDetails;
  return (
    details?.error ?? (event.type?.endsWith('TimedOut') === true ? 'States.Timeout' : 'States.TaskFailed')
  );
}
