/** Spark's progress, read from the bar that it draws on standard error, and from the rows that engine.py counts beside it. */

/** A running stage and how many of its tasks are done. */
export interface SparkProgress {
  readonly stage: number;
  readonly tasksDone: number;
  readonly tasks: number;
  /** Rows that the stage has read; absent while it has read none. */
  readonly rowsRead?: number;
}

/** As engine.py writes it. */
const ROWS = /\[Rows of stage (\d+): (\d+)\]\s*$/;
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
  #rows: { readonly stage: number; readonly rowsRead: number } | undefined;
  #newest: SparkProgress | undefined;
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
      if (this.#takeProgress(this.#rest)) this.#rest = '';
    }
  }

  end(): void {
    if (this.#rest.trim() !== '') this.#take(this.#rest, '\n');
    this.#rest = '';
  }

  #take(piece: string, ending: string | undefined): void {
    if (this.#takeProgress(piece)) return;
    if (piece.trim() !== '' || ending !== '\r') this.#onLine(piece);
  }

  /** Whether the piece is progress. Rows are shown with the tasks of the same stage. */
  #takeProgress(piece: string): boolean {
    const bar = readProgress(piece);
    const rows = ROWS.exec(piece);
    if (bar === undefined && rows === null) return false;
    if (bar !== undefined) this.#newest = bar;
    if (rows !== null) this.#rows = { stage: Number(rows[1]), rowsRead: Number(rows[2]) };
    const { stage, rowsRead } = this.#rows ?? {};
    if (this.#newest === undefined || (rows !== null && stage !== this.#newest.stage)) return true;
    this.#onProgress(
      rowsRead === undefined || stage !== this.#newest.stage ? this.#newest : { ...this.#newest, rowsRead },
    );
    return true;
  }
}
