/** The state machine's definition as tests read it: plain Amazon States Language, typed as far as tests look. */
import { z } from 'zod';
import { readDefinition } from '../../../local/template/definition.ts';
import { synthesize } from '../../support/synthesize.ts';

const retrySchema = z.looseObject({ ErrorEquals: z.array(z.string()), MaxAttempts: z.number() });
const catchSchema = z.looseObject({ ErrorEquals: z.array(z.string()), Next: z.string() });

export interface State {
  readonly Type: string;
  readonly Resource?: string | undefined;
  readonly Parameters?: unknown;
  readonly TimeoutSeconds?: number | undefined;
  readonly Next?: string | undefined;
  readonly End?: boolean | undefined;
  readonly Default?: string | undefined;
  readonly Choices?: readonly { readonly Next: string }[] | undefined;
  readonly Retry?: readonly z.infer<typeof retrySchema>[] | undefined;
  readonly Catch?: readonly z.infer<typeof catchSchema>[] | undefined;
  readonly Branches?: readonly Machine[] | undefined;
}

export interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
  readonly TimeoutSeconds?: number | undefined;
}

const stateSchema: z.ZodType<State> = z.looseObject({
  Type: z.string(),
  Resource: z.string().optional(),
  Parameters: z.unknown().optional(),
  TimeoutSeconds: z.number().optional(),
  Next: z.string().optional(),
  End: z.boolean().optional(),
  Default: z.string().optional(),
  Choices: z.array(z.looseObject({ Next: z.string() })).optional(),
  Retry: z.array(retrySchema).optional(),
  Catch: z.array(catchSchema).optional(),
  get Branches() {
    return z.array(machineSchema).optional();
  },
});

const machineSchema: z.ZodType<Machine> = z.looseObject({
  StartAt: z.string(),
  States: z.record(
    z.string(),
    z.lazy(() => stateSchema),
  ),
  TimeoutSeconds: z.number().optional(),
});

const deployed = readDefinition(synthesize().assembly.directory);

/** The definition as it would be deployed, with stand-ins for names that only a deployment gives. */
export const definition: Machine = machineSchema.parse(deployed.states);

/** Definition of the state machine that tells the subscribers. */
export const notifier: Machine = machineSchema.parse(deployed.notifier.states);

/** Every state, those inside branches too, by name. */
export const allStates: ReadonlyMap<string, State> = new Map(statesOf(definition));

function statesOf(machine: Machine): [string, State][] {
  return Object.entries(machine.States).flatMap(([name, state]): [string, State][] => [
    [name, state],
    ...(state.Branches ?? []).flatMap(statesOf),
  ]);
}
