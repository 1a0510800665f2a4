/** The situations in which a run starts. Together they lead runs through every state of the definition. */
import type { RunRequest } from '../../domain/run.ts';
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import { allStates, parseMachine, resourceKind } from '../../local/interpreter/state-language.ts';
import { TaskError, taskFailed } from '../../local/interpreter/task.ts';
import { deployed, FaultWorld, type TaskHook } from './fault-world.ts';
import { arnOf } from './memory-ports.ts';
import { EVENTS, plan, runSteps, storeMetricsInput, worldOn } from './run-fixture.ts';

export interface Setting {
  readonly name: string;
  readonly prepare: (world: FaultWorld) => Promise<void>;
  /** What is requested of the run; default: nothing special. */
  readonly request?: RunRequest;
  /** State that fails, which leads into the states that close a failed run. */
  readonly failing?: string;
  /** State whose first attempt does its work, but whose answer is lost. */
  readonly unanswered?: string;
}

/** The other run in the setting in which a run is in progress; it must not be affected. */
export const LIVING_RUN = 'run-that-lives';

const nothing = async (): Promise<void> => {};

const RUN_BEFORE = 'run-before';

/** An earlier run on the files that there are, which has succeeded. */
async function runBefore({ ports }: FaultWorld): Promise<void> {
  await plan(ports, RUN_BEFORE);
  runSteps(ports, RUN_BEFORE);
  await storeMetrics(storeMetricsInput(RUN_BEFORE), worldOn(ports));
  ports.executions.set(RUN_BEFORE, 'SUCCEEDED');
}

function firstOfKind(kind: string): string {
  const found = allStates(parseMachine(deployed.states)).find(
    ({ state }) => resourceKind(state.Resource ?? '') === kind,
  );
  if (found === undefined) throw new Error(`the definition has no state of kind ${kind}`);
  return found.name;
}

export const SETTINGS: readonly Setting[] = [
  { name: 'there are new files', prepare: nothing },
  { name: 'a step fails', prepare: nothing, failing: firstOfKind('elasticmapreduce:addStep.sync') },
  {
    name: 'the answer to the first notification is lost',
    prepare: nothing,
    unanswered: firstOfKind('states:startExecution'),
  },
  { name: 'there are no new files', prepare: runBefore },
  {
    name: 'there are new files, and nothing new to learn',
    prepare: async (world) => {
      await runBefore(world);
      world.ports.objects.put(`${EVENTS}/later.json`, 'events');
    },
  },
  { name: 'the model of an earlier run is verified', prepare: runBefore, request: { verify: RUN_BEFORE } },
  {
    name: 'another run is in progress',
    prepare: async ({ ports }) => {
      await plan(ports, LIVING_RUN);
      ports.clusters.start(LIVING_RUN, arnOf(LIVING_RUN));
    },
  },
];

/** Adds the setting's own failure to the hook. */
export function inSetting({ failing, unanswered }: Setting, hook: TaskHook = ({ work }) => work()): TaskHook {
  return async (call) => {
    if (call.state === failing) {
      throw taskFailed({ Step: { Status: { State: 'FAILED' } }, Message: 'the disk is full' });
    }
    if (call.state === unanswered && call.attempt === 1) {
      await call.work();
      throw new TaskError('StepFunctions.SdkClientException', 'the connection was reset');
    }
    return hook(call);
  };
}

/** Whether a run passes through the usual states except for one failure. */
function isDetour({ failing, unanswered }: Setting): boolean {
  return failing !== undefined || unanswered !== undefined;
}

/** A world prepared for the setting. */
export async function worldOf(setting: Setting): Promise<FaultWorld> {
  const world = new FaultWorld();
  await setting.prepare(world);
  return world;
}

/** A state, and a setting in which a run reaches it. */
export interface Place {
  readonly state: string;
  readonly type: string;
  readonly kind: string;
  readonly setting: Setting;
}

/**
 * Every state that a run without a fault reaches in some setting, in order. For a setting with a failure, only the states
 * that no earlier setting has reached.
 * @throws if a state of the definition is never reached: a new path needs a setting
 */
export async function placesOf(): Promise<readonly Place[]> {
  const places: Place[] = [];
  const states = allStates(parseMachine(deployed.states));
  for (const setting of SETTINGS) {
    const visited: string[] = [];
    const world = await worldOf(setting);
    await world.run({
      runId: 'run-1',
      ...(setting.request === undefined ? {} : { request: setting.request }),
      onTask: inSetting(setting),
      onState: ({ kind, state }) => {
        if (kind === 'entered') visited.push(state);
      },
    });
    const known = isDetour(setting) ? places.map(({ state }) => state) : [];
    for (const { name, state } of states) {
      if (!visited.includes(name) || known.includes(name)) continue;
      places.push({ state: name, type: state.Type, kind: resourceKind(state.Resource ?? ''), setting });
    }
  }
  const missing = states.filter(({ name }) => !places.some(({ state }) => state === name));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new Error(`no run reaches ${names}: add a setting to ${import.meta.url} that leads there`);
  }
  return places;
}
