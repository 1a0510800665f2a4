/** The display of a run in progress. */
import type { RunObserver } from '../../local/run/local-run.ts';
import { LineDisplay } from './line-display.ts';
import { ListDisplay } from './list-display.ts';

export interface Display extends RunObserver {
  /** Ends the display; nothing is drawn any more once this resolves. */
  readonly end: () => Promise<void>;
}

/**
 * A list that redraws itself on a terminal; plain lines elsewhere, and in CI. Both write to standard error.
 * @param states names of the states that a run normally passes through, in order
 */
export function displayFor(
  states: readonly string[],
  stream: NodeJS.WriteStream,
  environment: Readonly<Record<string, string | undefined>>,
): Display {
  const inCi = environment.CI !== undefined && environment.CI !== '' && environment.CI !== 'false';
  return stream.isTTY === true && !inCi ? new ListDisplay(states, stream) : new LineDisplay(stream);
}
