/** Plain lines: one when a state starts, one when it ends, and every few seconds one with Spark's progress. */
import type { StateEvent } from '../../local/interpreter/interpreter.ts';
import type { SparkProgress } from '../../local/spark/progress.ts';
import type { Display } from './display.ts';
import { StagePace } from './pace.ts';
import { duration } from './words.ts';

const PROGRESS_EVERY_MILLISECONDS = 5_000;

export class LineDisplay implements Display {
  readonly #stream: { write(text: string): unknown };
  readonly #enteredAt = new Map<string, Date>();
  #pace = new StagePace();
  #lastProgressAt = 0;

  constructor(stream: { write(text: string): unknown }) {
    this.#stream = stream;
  }

  readonly onStart = (runId: string): void => this.#line(`run ${runId}`);

  readonly onNote = (text: string): void => this.#line(text);

  readonly onState = ({ kind, state, stateType, at, error }: StateEvent): void => {
    if (stateType !== 'Task') return;
    const seconds = duration(at.getTime() - (this.#enteredAt.get(state) ?? at).getTime());
    if (kind === 'entered' || kind === 'retried') {
      this.#enteredAt.set(state, at);
      this.#lastProgressAt = Date.now();
      this.#pace = new StagePace();
      this.#line(`${state} ${kind === 'entered' ? 'started' : 'started again'}`);
    } else if (kind === 'failed') {
      this.#enteredAt.delete(state);
      this.#line(`${state} failed after ${seconds} (${error})`);
    } else if (kind === 'exited' && this.#enteredAt.has(state)) {
      // A state whose failure was caught exits too, but its line has already been written.
      this.#line(`${state} done in ${seconds}`);
    }
  };

  readonly onProgress = (state: string, progress: SparkProgress): void => {
    const now = Date.now();
    const text = this.#pace.text(progress, now);
    if (now - this.#lastProgressAt < PROGRESS_EVERY_MILLISECONDS) return;
    this.#lastProgressAt = now;
    this.#line(`${state}: ${text}`);
  };

  readonly end = async (): Promise<void> => {};

  #line(text: string): void {
    this.#stream.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
  }
}
