/** What the world is like when a run starts: together the settings lead a run through every state there is. */
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import { allStates, parseMachine, resourceKind } from '../../local/interpreter/state-language.ts';
import { TaskError, taskFailed } from '../../local/interpreter/task.ts';
import { deployed, FaultWorld, type TaskHook } from './fault-world.ts';
import { arnOf } from './memory-ports.ts';
import { plan, runSteps, storeMetricsInput, worldOn } from './run-fixture.ts';

export interface Setting {
  readonly name: string;
  readonly prepare: (world: FaultWorld) => Promise<void>;
  /** State that fails by itself, which leads into the states of the bad ending. */
  readonly failing?: string;
  /** State whose first try does its work, and nobody hears the answer. */
  readonly unheard?: string;
}

/** Run that lives in the setting of that name, and must not be harmed. */
export const LIVING_RUN = 'run-that-lives';

const nothing = async (): Promise<void> => {};

function firstOfKind(kind: string): string {
  const found = allStates(parseMachine(deployed.states)).find(
    ({ state }) => resourceKind(state.Resource ?? '') === kind,
  );
  if (found === undefined) throw new Error(`the definition has no state of the kind ${kind}`);
  return found.name;
}

export const SETTINGS: readonly Setting[] = [
  { name: 'there is work', prepare: nothing },
  { name: 'a step fails', prepare: nothing, failing: firstOfKind('elasticmapreduce:addStep.sync') },
  { name: 'the first telling is not heard', prepare: nothing, unheard: firstOfKind('states:startExecution') },
  {
    name: 'nothing is new',
    prepare: async ({ ports }) => {
      await plan(ports, 'run-before');
      runSteps(ports, 'run-before');
      await storeMetrics(storeMetricsInput('run-before'), worldOn(ports));
      ports.executions.set('run-before', 'SUCCEEDED');
    },
  },
  {
    name: 'another run lives',
    prepare: async ({ ports }) => {
      await plan(ports, LIVING_RUN);
      ports.clusters.start(LIVING_RUN, arnOf(LIVING_RUN));
    },
  },
];

/** The hook with the setting's own failure below it. */
export function inSetting({ failing, unheard }: Setting, hook: TaskHook = ({ work }) => work()): TaskHook {
  return async (call) => {
    if (call.state === failing) {
      throw taskFailed({ Step: { Status: { State: 'FAILED' } }, Message: 'the disk is full' });
    }
    if (call.state === unheard && call.attempt === 1) {
      await call.work();
      throw new TaskError('StepFunctions.SdkClientException', 'the connection was reset');
    }
    return hook(call);
  };
}

/** Whether a run goes its usual way but for one state. */
function isDetour({ failing, unheard }: Setting): boolean {
  return failing !== undefined || unheard !== undefined;
}

/** A world as the setting has it. */
export async function worldOf(setting: Setting): Promise<FaultWorld> {
  const world = new FaultWorld();
  await setting.prepare(world);
  return world;
}

/** A state, and a setting in which a run comes to it. */
export interface Place {
  readonly state: string;
  readonly type: string;
  readonly kind: string;
  readonly setting: Setting;
}

/**
 * Every state that a run comes to in some setting, in order, from runs without a fault. A setting whose way is
 * like an earlier one's begins where they part.
 * @throws when a state of the definition is never reached: a new way needs a setting
 */
export async function placesOf(): Promise<readonly Place[]> {
  const places: Place[] = [];
  const states = allStates(parseMachine(deployed.states));
  for (const setting of SETTINGS) {
    const visited: string[] = [];
    const world = await worldOf(setting);
    await world.run({
      runId: 'run-1',
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
    throw new Error(`no run comes to ${names}: add a setting to ${import.meta.url} that leads there`);
  }
  return places;
}
