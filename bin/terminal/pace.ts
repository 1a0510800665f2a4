/** How fast something goes, and how long the rest of it will take. */
import type { SparkProgress } from '../../local/spark/progress.ts';
import { count, duration } from './words.ts';

/** Before so long, and before this share is done, an estimate says nothing. */
const LEAST_MILLISECONDS = 1_500;
const LEAST_SHARE = 0.02;
const REDRAW_MILLISECONDS = 500;

/**
 * Milliseconds that the rest will take if it goes on as it has gone so far; undefined while that cannot be said.
 * @param share what is done, from 0 to 1
 */
export function remaining(elapsedMilliseconds: number, share: number): number | undefined {
  if (elapsedMilliseconds < LEAST_MILLISECONDS || share < LEAST_SHARE || share >= 1) return undefined;
  return (elapsedMilliseconds / share) * (1 - share);
}

/** `about 40 s left`, whole seconds or minutes; undefined while nothing can be said. */
export function remainingText(elapsedMilliseconds: number, share: number): string | undefined {
  const left = remaining(elapsedMilliseconds, share);
  if (left === undefined) return undefined;
  const seconds = Math.max(1, Math.round(left / 1_000));
  if (seconds < 90) return `about ${seconds} s left`;
  return `about ${count(Math.round(seconds / 60))} min left`;
}

/** The progress of Spark's stages as text, with the pace of the one that runs. Each state of a run has its own. */
export class StagePace {
  #stage: number | undefined;
  #since = 0;

  /** @param now milliseconds since the epoch */
  text({ stage, tasksDone, tasks, rowsRead }: SparkProgress, now: number): string {
    if (stage !== this.#stage) {
      this.#stage = stage;
      this.#since = now;
    }
    const elapsed = now - this.#since;
    const left = remainingText(elapsed, tasks === 0 ? 0 : tasksDone / tasks);
    return [
      `Spark stage ${stage}: ${count(tasksDone)} of ${count(tasks)} tasks`,
      ...(rowsRead === undefined ? [] : [rowsText(rowsRead, elapsed)]),
      ...(left === undefined ? [] : [`${left} of this stage`]),
    ].join(', ');
  }
}

function rowsText(rows: number, elapsedMilliseconds: number): string {
  const read = `${count(rows)} rows read`;
  if (elapsedMilliseconds < LEAST_MILLISECONDS) return read;
  return `${read}, ${count(Math.round(rows / (elapsedMilliseconds / 1_000)))} per second`;
}

/** A line on a terminal that is drawn over itself, with what is done, and how long the rest will take. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedAt = Date.now();
  #width = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Shows nothing where the stream is no terminal. */
  show(text: string, share: number): void {
    if (this.#stream.isTTY !== true) return;
    const elapsed = Date.now() - this.#startedAt;
    const left = remainingText(elapsed, share) ?? (elapsed > LEAST_MILLISECONDS ? duration(elapsed) : '');
    const line = left === '' ? text : `${text}, ${left}`;
    this.#stream.write(`\r${line.padEnd(this.#width)}`);
    this.#width = line.length;
  }

  /** Shows for how long work of unknown length has gone on. */
  async during<Result>(text: string, work: () => Promise<Result>): Promise<Result> {
    const drawing = setInterval(() => this.show(text, 0), REDRAW_MILLISECONDS);
    try {
      return await work();
    } finally {
      clearInterval(drawing);
      this.clear();
    }
  }

  /** Removes the line. */
  clear(): void {
    if (this.#stream.isTTY === true && this.#width > 0) this.#stream.write(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
  }
}
