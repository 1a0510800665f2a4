/** How a run is shown while it goes on. */
import type { RunObserver } from '../../local/run/local-run.ts';

export interface Display extends RunObserver {
  /** The run has ended: nothing is drawn any more when this resolves. */
  readonly end: () => Promise<void>;
}
