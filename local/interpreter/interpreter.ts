/** Runs a state machine's definition on this machine, one handler per kind of resource. */
import {
  ExecutionAbortedError,
  ExecutionError,
  ExecutionTimeoutError,
  StateMachine,
} from 'aws-local-stepfunctions';
import type { Json } from '../template/intrinsics.ts';
import { assertSupported } from './check.ts';
import { allStates, isStateMachineDefinition, parseMachine, resourceKind } from './state-language.ts';
import { TaskError, type TaskHandlers } from './task.ts';

/** Retries exist for throttling, which does not happen locally: a pause of a second is enough. */
const RETRY_PAUSE_MILLISECONDS = 1_000;
/** The largest payload that AWS passes from state to state. */
const MAX_PAYLOAD_BYTES = 262_144;

/** Something that happened to a state. */
export interface StateEvent {
  readonly kind: 'entered' | 'exited' | 'failed' | 'retried' | 'caught';
  readonly state: string;
  readonly stateType: string;
  readonly at: Date;
  /** Name of the error, for a state that failed. */
  readonly error?: string;
}

/** How an execution ended. */
export type Ending =
  | { readonly status: 'SUCCEEDED'; readonly output: Json }
  | {
      readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
      readonly error: string;
      readonly cause: string;
    };

export interface ExecutionOptions {
  readonly definition: Json;
  readonly input: Json;
  readonly handlers: TaskHandlers;
  readonly execution: { readonly arn: string; readonly name: string };
  readonly stateMachine: { readonly arn: string; readonly name: string };
  readonly onEvent?: (event: StateEvent) => void;
}

export interface RunningExecution {
  /** Aborts it as StopExecution would. */
  readonly abort: () => void;
  /** Resolves when the execution has ended and none of its handlers is running any more; never rejects. */
  readonly ended: Promise<Ending>;
}

/** @throws UnsupportedDefinitionError before anything is started, if the definition uses something unsupported */
export function startExecution(options: ExecutionOptions): RunningExecution {
  const machine = parseMachine(options.definition);
  assertSupported(machine, Object.keys(options.handlers));
  const tasks = new Tasks(options.handlers);
  const states = allStates(machine);
  const execution = checkedMachine(options.definition).run(options.input, {
    context: {
      Execution: { Id: options.execution.arn, Name: options.execution.name },
      StateMachine: { Id: options.stateMachine.arn, Name: options.stateMachine.name },
    },
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(
        states
          .filter(({ state }) => state.Type === 'Task')
          .map(({ name, state }) => [name, tasks.starter(name, resourceKind(state.Resource ?? ''))]),
      ),
      retryIntervalOverrides: Object.fromEntries(states.map(({ name }) => [name, RETRY_PAUSE_MILLISECONDS])),
    },
  });
  const followed = follow(execution.eventLogs, tasks, options.onEvent);
  const ended = endingOf(execution.result).then(async (ending) => {
    await tasks.end();
    await followed;
    return ending;
  });
  return { abort: execution.abort, ended };
}

/** Machines by their definition: checking one takes a third of a second, and tests often run the same one. */
const machines = new WeakMap<object, StateMachine>();

function checkedMachine(definition: Json): StateMachine {
  if (!isStateMachineDefinition(definition)) throw new Error('the definition is not a state machine');
  const machine = machines.get(definition) ?? new StateMachine(definition);
  machines.set(definition, machine);
  return machine;
}

interface Attempt {
  readonly startedAt: number;
  readonly controller: AbortController;
  readonly settled: Promise<unknown>;
}

/** The running handlers. The interpreter itself neither stops a handler nor waits for one. */
class Tasks {
  readonly #handlers: TaskHandlers;
  readonly #latest = new Map<string, Attempt>();
  readonly #ending = new AbortController();

  constructor(handlers: TaskHandlers) {
    this.#handlers = handlers;
  }

  starter(stateName: string, kind: string): (parameters: Json) => Promise<Json> {
    return async (parameters) => {
      const handler = this.#handlers[kind];
      // A retry can become due after the execution has ended.
      if (handler === undefined || this.#ending.signal.aborted) {
        throw new TaskError('States.Runtime', `${stateName} was not started: the execution has ended`);
      }
      const before = this.#latest.get(stateName)?.settled;
      const controller = new AbortController();
      const signal = AbortSignal.any([this.#ending.signal, controller.signal]);
      const answer = (before ?? Promise.resolve())
        .then(() => handler(parameters, { stateName, signal }))
        .then(checkedPayload);
      const settled = answer.catch(() => undefined);
      this.#latest.set(stateName, { startedAt: Date.now(), controller, settled });
      return answer;
    };
  }

  /** Stops the attempt that the interpreter timed out at that time. */
  timedOut(stateName: string, at: number): void {
    const attempt = this.#latest.get(stateName);
    if (attempt !== undefined && attempt.startedAt <= at) attempt.controller.abort();
  }

  /** Stops all handlers and waits until they have stopped. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all([...this.#latest.values()].map(({ settled }) => settled));
  }
}

function checkedPayload(answer: Json): Json {
  const text = JSON.stringify(answer);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_PAYLOAD_BYTES) {
    throw new TaskError(
      'States.DataLimitExceeded',
      `a payload of ${bytes} bytes exceeds ${MAX_PAYLOAD_BYTES}`,
    );
  }
  return JSON.parse(text);
}

const EVENT_KINDS = {
  StateEntered: 'entered',
  StateExited: 'exited',
  StateFailed: 'failed',
  StateRetried: 'retried',
  StateCaught: 'caught',
} as const;

type LibraryEvents = ReturnType<StateMachine['run']>['eventLogs'];

async function follow(
  events: LibraryEvents,
  tasks: Tasks,
  onEvent: ExecutionOptions['onEvent'],
): Promise<void> {
  for await (const event of events) {
    if (!('state' in event)) continue;
    if (event.type === 'StateFailed' && event.Error === 'States.Timeout') {
      tasks.timedOut(event.state.name, event.timestamp);
    }
    onEvent?.({
      kind: EVENT_KINDS[event.type],
      state: event.state.name,
      stateType: event.state.type,
      at: new Date(event.timestamp),
      ...(event.type === 'StateFailed' ? { error: event.Error } : {}),
    });
  }
}

async function endingOf(result: Promise<Json>): Promise<Ending> {
  try {
    return { status: 'SUCCEEDED', output: await result };
  } catch (error) {
    if (error instanceof ExecutionAbortedError) {
      return { status: 'ABORTED', error: 'States.ExecutionAborted', cause: 'the run was stopped' };
    }
    if (error instanceof ExecutionTimeoutError) {
      return { status: 'TIMED_OUT', error: 'States.Timeout', cause: 'the run took longer than is allowed' };
    }
    const reason = error instanceof ExecutionError ? error.cause : error;
    if (!(reason instanceof Error)) throw error;
    return { status: 'FAILED', error: reason.name, cause: reason.message };
  }
}
