/** A list of the run's states that redraws itself: finished states, the running one with its progress, and pending ones. */
import { Listr, type ListrTask, PRESET_TIMER, ProcessOutput } from 'listr2';
import type { StateEvent } from '../../local/interpreter/interpreter.ts';
import type { SparkProgress } from '../../local/spark/progress.ts';
import type { Display } from './display.ts';
import { StagePace } from './pace.ts';

type Ending = 'done' | 'failed' | 'not reached';

/** An event that happens once. */
class Moment<Value> {
  readonly promise: Promise<Value>;
  #resolve: (value: Value) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  happen(value: Value): void {
    this.#resolve(value);
  }
}

/** One line of the list: waits for its state to start, then to end. */
class Entry {
  readonly #begun = new Moment<'begun'>();
  readonly #ended = new Moment<Ending>();
  #state: 'pending' | 'running' | 'failing' = 'pending';
  #show: (text: string) => void = () => {};

  toTask(name: string): ListrTask {
    return {
      title: name,
      skip: async () => (await Promise.race([this.#begun.promise, this.#ended.promise])) === 'not reached',
      task: async (_context, task) => {
        this.#show = (text) => {
          task.output = text;
        };
        if ((await this.#ended.promise) === 'failed') throw new Error(`${name} failed`);
      },
    };
  }

  show(text: string): void {
    this.#show(text);
  }

  begin(): void {
    this.#state = 'running';
    this.#begun.happen('begun');
  }

  /** The state has failed unless it is retried. */
  fail(): void {
    this.#state = 'failing';
  }

  succeed(): void {
    if (this.#state === 'running') this.#ended.happen('done');
  }

  /** Another state has started, so a failed one is not retried. */
  pass(): void {
    if (this.#state === 'failing') this.#ended.happen('failed');
  }

  close(): void {
    this.#ended.happen(this.#state === 'pending' ? 'not reached' : 'failed');
  }
}

export class ListDisplay implements Display {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #list: Listr;
  readonly #stream: NodeJS.WriteStream;
  #pace = new StagePace();
  #drawn: Promise<unknown> | undefined;

  constructor(states: readonly string[], stream: NodeJS.WriteStream) {
    this.#entries = new Map(states.map((name) => [name, new Entry()]));
    this.#stream = stream;
    this.#list = new Listr(
      [...this.#entries].map(([name, entry]) => entry.toTask(name)),
      {
        exitOnError: false,
        registerSignalListeners: false,
        renderer: 'default',
        rendererOptions: {
          timer: PRESET_TIMER,
          showErrorMessage: false,
          processOutput: new ProcessOutput(stream, stream),
        },
      },
    );
  }

  readonly onStart = (runId: string): void => {
    this.#stream.write(`Run ${runId}\n`);
    this.#drawn = this.#list.run();
  };

  readonly onNote = (text: string): void => {
    this.#stream.write(`${text}\n`);
  };

  readonly onState = ({ kind, state }: StateEvent): void => {
    const entry = this.#entries.get(state);
    if (kind === 'entered' || kind === 'retried') {
      entry?.begin();
      this.#pace = new StagePace();
      for (const [name, other] of this.#entries) if (name !== state) other.pass();
    } else if (kind === 'failed') {
      entry?.fail();
    } else if (kind === 'exited') {
      entry?.succeed();
    }
  };

  readonly onProgress = (state: string, progress: SparkProgress): void => {
    this.#entries.get(state)?.show(this.#pace.text(progress, Date.now()));
  };

  readonly end = async (): Promise<void> => {
    for (const entry of this.#entries.values()) entry.close();
    await this.#drawn;
  };
}
