/** Every way in which a state can end badly, as something done to its tasks or to the execution around it. */

import { stepOfState } from '../../domain/states.ts';
import type { StateEvent } from '../../local/interpreter/interpreter.ts';
import { allStates, parseMachine } from '../../local/interpreter/state-language.ts';
import { TaskError } from '../../local/interpreter/task.ts';
import type { Json } from '../../local/template/intrinsics.ts';
import type { Place } from './fault-settings.ts';
import { deployed, type FaultWorld, type TaskCall } from './fault-world.ts';
import { planOf } from './run-fixture.ts';

/** Whether the fault comes before the task has done its work, or after it: then only the answer is lost. */
export type Moment = 'before' | 'after';

export interface FaultCall extends TaskCall {
  readonly place: Place;
  readonly moment: Moment;
  readonly world: FaultWorld;
  readonly runId: string;
}

export interface Fault {
  readonly name: string;
  readonly moments: readonly Moment[];
  readonly appliesTo: (place: Place) => boolean;
  /** What becomes of a call of the state's task. */
  readonly onTask?: (call: FaultCall) => Promise<Json>;
  readonly onState?: (event: StateEvent, abort: () => void, place: Place) => void;
  /** Changes the definition, where a state without a task offers no other hold. */
  readonly redefine?: (place: Place, tries: number) => Json;
}

const isTask = ({ type }: Place): boolean => type === 'Task';
const isNoTask = (place: Place): boolean => !isTask(place);
const both: readonly Moment[] = ['before', 'after'];

/** The task fails by that error, at every attempt or at the first ones only. */
function failing(
  error: (place: Place) => string,
  attempts = Number.POSITIVE_INFINITY,
): Required<Pick<Fault, 'onTask'>> {
  return {
    onTask: async ({ place, moment, attempt, work }) => {
      if (attempt > attempts) return work();
      if (moment === 'after') await work();
      throw new TaskError(error(place), JSON.stringify({ errorMessage: `injected into ${place.state}` }));
    },
  };
}

/** The task does its work, and its answer is another. */
function answering(answerOf: (place: Place) => Json): Required<Pick<Fault, 'onTask'>> {
  return {
    onTask: async ({ place, work }) => {
      await work();
      return answerOf(place);
    },
  };
}

/** Errors that the state's own Retry names: a new state brings its own. */
function retriedErrors({ state }: Place): readonly string[] {
  const retry = allStates(parseMachine(deployed.states)).find(({ name }) => name === state)?.state.Retry;
  return (retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
}
const throttling = (place: Place): string => retriedErrors(place)[0] ?? 'States.TaskFailed';
const isRetried = (place: Place): boolean => retriedErrors(place).length > 0;

/** The definition with one more field in that state, wherever it stands. */
function withField(value: Json, stateName: string, field: Record<string, Json>): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((entry) => withField(entry, stateName, field));
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => {
      const changed = withField(entry, stateName, field);
      const isState =
        key === stateName && changed !== null && typeof changed === 'object' && 'Type' in changed;
      return [key, isState ? { ...changed, ...field } : changed];
    }),
  );
}

/** Until the execution is over; what it answers then, nobody hears. */
function untilTheEnd(signal: AbortSignal): Promise<Json> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}

/** The definition with a life of seconds: long enough to come anywhere, and longer where the machine is busy. */
const shortLived: readonly Json[] = [3, 12, 48].map((seconds) => ({
  ...deployed.states,
  TimeoutSeconds: seconds,
}));

export const FAULTS: readonly Fault[] = [
  { name: 'task failed', moments: both, appliesTo: isTask, ...failing(() => 'States.TaskFailed') },
  { name: 'States.Timeout', moments: both, appliesTo: isTask, ...failing(() => 'States.Timeout') },
  { name: 'States.Runtime', moments: both, appliesTo: isTask, ...failing(() => 'States.Runtime') },
  { name: 'throttled, healed', moments: both, appliesTo: isRetried, ...failing(throttling, 2) },
  { name: 'throttled for good', moments: both, appliesTo: isRetried, ...failing(throttling) },
  {
    name: 'answer empty',
    moments: ['after'],
    appliesTo: isTask,
    ...answering(({ kind }) => (kind === 'lambda:invoke' ? { StatusCode: 200, Payload: {} } : {})),
  },
  {
    name: 'answer senseless',
    moments: ['after'],
    appliesTo: isTask,
    ...answering(({ kind }) => (kind === 'lambda:invoke' ? { StatusCode: 200, Payload: 'rubbish' } : [17])),
  },
  {
    name: 'answer too large',
    moments: ['after'],
    appliesTo: isTask,
    ...answering(() => ({ Payload: 'x'.repeat(300_000) })),
  },
  {
    name: 'result damaged',
    moments: ['after'],
    appliesTo: ({ kind }) =>
      ['elasticmapreduce:addStep.sync', 'athena:startQueryExecution.sync'].includes(kind),
    onTask: async ({ place, world, runId, work }) => {
      const answer = await work();
      const step = stepOfState(place.state);
      if (step === undefined) world.ports.sql.answers.set(runId, [{ rubbish: '17' }]);
      else world.ports.objects.put(planOf(world.ports, runId).outputs.results[step], '{"half');
      return answer;
    },
  },
  {
    name: 'aborted during it',
    moments: both,
    appliesTo: isTask,
    onTask: async ({ moment, abort, work }) => {
      if (moment === 'after') await work();
      abort();
      return null;
    },
  },
  {
    name: 'execution times out',
    moments: both,
    appliesTo: isTask,
    onTask: async ({ moment, signal, work }) => {
      if (moment === 'after') await work();
      return untilTheEnd(signal);
    },
    redefine: (_place, tries) => shortLived[tries] ?? null,
  },
  {
    name: 'aborted at it',
    moments: ['before'],
    appliesTo: isNoTask,
    onState: ({ kind, state }, abort, place) => {
      if (kind === 'entered' && state === place.state) abort();
    },
  },
  {
    name: 'input unreadable',
    moments: ['before'],
    appliesTo: (place) => isNoTask(place) && place.type !== 'Fail',
    redefine: ({ state }) => withField(deployed.states, state, { InputPath: '$.injected.nowhere' }),
  },
];
