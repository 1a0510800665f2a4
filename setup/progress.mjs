/** Shows the user what the set-up is doing: one line for each part, and finally the time it took. */

/** @param {number} since milliseconds */
const elapsed = (since) => {
  const seconds = Math.round((Date.now() - since) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

/** Returns to the start of the line and clears it. */
const REWRITE = '\r\u001b[2K';

/**
 * On a terminal the current line shows the elapsed time; elsewhere every line is written once.
 * It writes to standard error, so that the output of the command itself stays clean.
 * @param {NodeJS.WriteStream} [stream]
 */
export function createProgress(stream = process.stderr) {
  const live = stream.isTTY === true && process.env.CI === undefined && process.env.TERM !== 'dumb';
  return {
    /** @param {string} line */
    say(line) {
      stream.write(`${line}\n`);
    },

    /**
     * Shows `what` for as long as `work` takes.
     * @template T
     * @param {string} what
     * @param {() => Promise<T>} work
     * @returns {Promise<T>}
     */
    async during(what, work) {
      const started = Date.now();
      const showRunning = () => stream.write(`${REWRITE}  ${what} ... ${elapsed(started)}`);
      let ticker;
      if (live) {
        showRunning();
        ticker = setInterval(showRunning, 1000);
      } else {
        stream.write(`  ${what} ...\n`);
      }
      try {
        const result = await work();
        stream.write(
          live ? `${REWRITE}  ${what}: ${elapsed(started)}\n` : `    done after ${elapsed(started)}\n`,
        );
        return result;
      } catch (error) {
        if (live) stream.write('\n');
        throw error;
      } finally {
        clearInterval(ticker);
      }
    },
  };
}

/** @typedef {ReturnType<typeof createProgress>} Progress */
