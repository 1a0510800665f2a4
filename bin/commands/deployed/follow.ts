/** Follows an execution until it has ended, with the same display as a local run. */

import { mainPath, parseMachine } from '../../../local/interpreter/state-language.ts';
import { Timeline } from '../../../local/run/timeline.ts';
import type { Display } from '../../terminal/display.ts';
import type { DeployedPipeline } from './deployed-pipeline.ts';
import { HistoryReader } from './history.ts';
import { runIdOf } from './names.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

/** States take minutes; Step Functions itself polls EMR once a minute. */
const POLL_MILLISECONDS = 5_000;

export interface Following {
  readonly pipeline: Pick<DeployedPipeline, 'describe' | 'history' | 'definition'>;
  readonly executionArn: string;
  /** Creates the display for a run that normally passes through these states. */
  readonly displayOf: (states: readonly string[]) => Display;
  /** Stops following; the run continues. */
  readonly signal: AbortSignal;
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Shows states as they start and end. The outcome is `RUNNING` if following was aborted. */
export async function follow(following: Following): Promise<Outcome> {
  const { pipeline, executionArn, displayOf, signal, wait = waitUnlessAborted } = following;
  const states = mainPath(parseMachine(await pipeline.definition(executionArn)));
  const display = displayOf(states);
  const reader = new HistoryReader();
  const timeline = new Timeline();
  display.onStart(runIdOf(executionArn));
  try {
    for (;;) {
      // In this order, so that the history that is read last contains everything up to the end.
      const description = await pipeline.describe(executionArn);
      for (const event of reader.read(await pipeline.history(executionArn))) {
        timeline.record(event);
        display.onState(event);
      }
      const now = new Date();
      const outcome = outcomeOf(description, now, timeline.states(description.endedAt ?? now));
      if (outcome.status !== 'RUNNING' || signal.aborted) return outcome;
      await wait(POLL_MILLISECONDS, signal);
    }
  } finally {
    await display.end();
  }
}

async function waitUnlessAborted(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
