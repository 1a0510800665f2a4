/** Ctrl-C: the first stops the run cleanly, the second kills it. */

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const INTERRUPTED = 130;
/** npm and the terminal may both send the same Ctrl-C. */
const SAME_PRESS_MILLISECONDS = 500;

export interface Interrupt {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** Sets what the second signal does before this process exits. */
  readonly onSecond: (kill: () => Promise<void>) => void;
  readonly release: () => void;
}

/** Listens for signals until it is released. */
export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let kill: (() => Promise<void>) | undefined;
  let firstAt: number | undefined;
  const listener = (): void => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      if (kill === undefined) process.exit(INTERRUPTED);
      process.stderr.write('\nStopping the run; press Ctrl-C again to kill it immediately.\n');
      controller.abort();
    } else if (Date.now() - firstAt > SAME_PRESS_MILLISECONDS) {
      void (kill?.() ?? Promise.resolve()).finally(() => process.exit(INTERRUPTED));
    }
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    signal: controller.signal,
    onSecond: (action) => {
      kill = action;
    },
    release: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
