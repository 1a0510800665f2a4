/** Spark's progress, read from the progress bar that it draws on standard error. */

/** A running stage and how many of its tasks are done. */
export interface SparkProgress {
  readonly stage: number;
  readonly tasksDone: number;
  readonly tasks: number;
}

const STAGE = /\[Stage (\d+):[=> ]*\((\d+) \+ \d+\) \/ (\d+)\]/g;

/** Progress shown by a piece of output; undefined if it is not a progress bar. The newest stage counts. */
export function readProgress(text: string): SparkProgress | undefined {
  const newest = [...text.matchAll(STAGE)].at(-1);
  if (newest === undefined) return undefined;
  const [, stage, tasksDone, tasks] = newest;
  return { stage: Number(stage), tasksDone: Number(tasksDone), tasks: Number(tasks) };
}

/**
 * Separates Spark's standard error into progress and lines for the log. The bar is redrawn with carriage returns and
 * erased with blanks; neither belongs in a log.
 */
export class ProgressSplitter {
  readonly #onProgress: (progress: SparkProgress) => void;
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onProgress: (progress: SparkProgress) => void, onLine: (line: string) => void) {
    this.#onProgress = onProgress;
    this.#onLine = onLine;
  }

  push(text: string): void {
    // A carriage return at the very end may be half of a line ending.
    const pieces = (this.#rest + text).split(/(\r\n|\n|\r(?!$))/);
    this.#rest = pieces.pop() ?? '';
    for (let index = 0; index < pieces.length; index += 2) this.#take(pieces[index] ?? '', pieces[index + 1]);
    // The bar has no line ending: it is reported as soon as it is complete.
    if (this.#rest.endsWith(']')) {
      const progress = readProgress(this.#rest);
      if (progress !== undefined) {
        this.#onProgress(progress);
        this.#rest = '';
      }
    }
  }

  end(): void {
    if (this.#rest.trim() !== '') this.#take(this.#rest, '\n');
    this.#rest = '';
  }

  #take(piece: string, ending: string | undefined): void {
    const progress = readProgress(piece);
    if (progress !== undefined) this.#onProgress(progress);
    else if (piece.trim() !== '' || ending !== '\r') this.#onLine(piece);
  }
}
