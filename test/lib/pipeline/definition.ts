/** The state machine's definition as tests read it: Amazon States Language, typed as far as tests look. */
import {
  type Machine,
  allStates as namedStates,
  parseMachine,
  type State,
} from '../../../local/interpreter/state-language.ts';
import { readDefinition } from '../../../local/template/definition.ts';
import { synthesize } from '../../support/synthesize.ts';

export type { Machine, State } from '../../../local/interpreter/state-language.ts';

/** The state machines as they would be deployed, with stand-ins for names that only a deployment gives. */
export const deployed = readDefinition(synthesize().assembly.directory);

/** The definition of the pipeline. */
export const definition: Machine = parseMachine(deployed.states);

/** The definition of the state machine that notifies the subscribers. */
export const notifier: Machine = parseMachine(deployed.notifier.states);

/** Every state, including those inside branches, by name. */
export const allStates: ReadonlyMap<string, State> = new Map(
  namedStates(definition).map(({ name, state }) => [name, state]),
);
