/** An execution's history as the states that start and end, the way the local run tells of them. */
import type { StateEvent } from '../../../local/interpreter/interpreter.ts';

/** What is read of an event of GetExecutionHistory. */
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

/** Where an event stands: only what starts a state names it, all others say which event came before them. */
interface Standing {
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
  readonly #standings = new Map<number, Standing>();
  #lastId = 0;

  /** What the events tell that were not read before; any number of them may have been. */
  read(events: readonly HistoryEvent[]): readonly StateEvent[] {
    const fresh = events
      .filter(({ id }) => (id ?? 0) > this.#lastId)
      .sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
    return fresh.flatMap((event) => this.#tell(event));
  }

  #tell(event: HistoryEvent): readonly StateEvent[] {
    const { id = 0, type = '', timestamp: at = new Date(0) } = event;
    this.#lastId = id;
    const enteredType = ENTERED.exec(type)?.[1];
    if (enteredType !== undefined) {
      const standing = {
        state: event.stateEnteredEventDetails?.name ?? '',
        stateType: enteredType,
        hasFailed: false,
      };
      this.#standings.set(id, standing);
      return [{ kind: 'entered', state: standing.state, stateType: enteredType, at }];
    }
    const before = this.#standings.get(event.previousEventId ?? 0);
    const exitedType = EXITED.exec(type)?.[1];
    if (exitedType !== undefined) {
      const state = event.stateExitedEventDetails?.name ?? before?.state ?? '';
      return [{ kind: 'exited', state, stateType: exitedType, at }];
    }
    if (before === undefined) return [];
    const { state, stateType } = before;
    if (FAILED.test(type)) {
      this.#standings.set(id, { ...before, hasFailed: true });
      return [{ kind: 'failed', state, stateType, at, error: errorOf(event) }];
    }
    if (SCHEDULED.test(type) && before.hasFailed) {
      this.#standings.set(id, { ...before, hasFailed: false });
      return [{ kind: 'retried', state, stateType, at }];
    }
    this.#standings.set(id, before);
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
