/** The display of a run in progress. */
import type { RunObserver } from '../../local/run/local-run.ts';

export interface Display extends RunObserver {
  /** Ends the display; nothing is drawn any more once this resolves. */
  readonly end: () => Promise<void>;
}
