/** The parts of Amazon States Language that this project reads itself; everything else is passed on as it is. */
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { z } from 'zod';
import type { Json } from '../template/intrinsics.ts';

const errorsSchema = z.looseObject({ ErrorEquals: z.array(z.string()) });
const stateSchema = z.looseObject({
  Type: z.string(),
  Comment: z.string().optional(),
  Next: z.string().optional(),
  End: z.boolean().optional(),
  Default: z.string().optional(),
  Choices: z.array(z.looseObject({ Next: z.string(), StringEquals: z.string().optional() })).optional(),
  Retry: z.array(errorsSchema).optional(),
  Catch: z.array(errorsSchema.extend({ Next: z.string() })).optional(),
  Resource: z.string().optional(),
  Parameters: z.unknown().optional(),
  TimeoutSeconds: z.number().optional(),
  TimeoutSecondsPath: z.string().optional(),
  get Branches() {
    return z.array(machineSchema).optional();
  },
});
const machineSchema = z.looseObject({
  StartAt: z.string(),
  QueryLanguage: z.string().optional(),
  TimeoutSeconds: z.number().optional(),
  get States() {
    return z.record(z.string(), stateSchema);
  },
});

export type State = z.infer<typeof stateSchema>;
export type Machine = z.infer<typeof machineSchema>;

/** A state with its name, and whether it is in a branch of a Parallel state. */
export interface NamedState {
  readonly name: string;
  readonly state: State;
  readonly inBranch: boolean;
}

export function parseMachine(definition: Json): Machine {
  return machineSchema.parse(definition);
}

/** Narrows a definition for the interpreter, which checks all of it when it is constructed. */
export function isStateMachineDefinition(definition: Json): definition is Json & StateMachineDefinition {
  return machineSchema.safeParse(definition).success;
}

/** Every state of a machine, those in the branches of Parallel states included. */
export function allStates(machine: Machine, inBranch = false): readonly NamedState[] {
  return Object.entries(machine.States).flatMap(([name, state]) => [
    { name, state, inBranch },
    ...(state.Branches ?? []).flatMap((branch) => allStates(branch, true)),
  ]);
}

/**
 * Names of the task states on the way that a run takes when it has work and all goes well: from the start along
 * `Next`, into the branches of Parallel states, and at a Choice along the longest way.
 */
export function mainPath(machine: Machine): readonly string[] {
  return pathFrom(machine, machine.StartAt, new Set());
}

function pathFrom(machine: Machine, name: string, behind: ReadonlySet<string>): readonly string[] {
  const state = machine.States[name];
  if (state === undefined || behind.has(name)) return [];
  const own = [...(state.Type === 'Task' ? [name] : []), ...(state.Branches ?? []).flatMap(mainPath)];
  const nexts = [...(state.Choices ?? []).map(({ Next: next }) => next), state.Default, state.Next];
  const ways = nexts
    .filter((next) => next !== undefined)
    .map((next) => pathFrom(machine, next, new Set([...behind, name])));
  return [...own, ...ways.reduce((longest, way) => (way.length > longest.length ? way : longest), [])];
}

/** `lambda:invoke` of `arn:aws:states:::lambda:invoke`. */
export function resourceKind(resourceArn: string): string {
  return resourceArn.split(':').slice(5).join(':').replace(/^:+/, '');
}
