/**
 * A run on this machine that measures itself, as a program: node bench/measured-run.ts <events> <lake>
 * Prints one JSON document.
 */
import { fileURLToPath } from 'node:url';
import { fileUri } from '../local/adapters/file-uris.ts';
import type { StateEvent } from '../local/interpreter/interpreter.ts';
import { openLake } from '../local/run/lake-folder.ts';
import { runLocally } from '../local/run/local-run.ts';
import { sharedEngine } from '../local/spark/shared-engine.ts';
import type { StepRunner } from '../local/spark/step-runner.ts';
import { withDefinition } from '../local/template/synthesize.ts';
import type { MeasuredRun } from './measured-run-output.ts';
import { processTimes } from './process-times.ts';
import type { Edge } from './shares.ts';
import { ATTACHABLE } from './thread-sampler.ts';

const NOTHING = fileURLToPath(new URL('./nothing.py', import.meta.url));

const now = (): Edge => ({ at: Date.now(), times: processTimes(process.pid) });

class Meter {
  readonly visits: MeasuredRun['visits'] = [];
  start: MeasuredRun['start'];
  readonly #entered = new Map<string, Edge>();

  onState({ kind, state, stateType }: StateEvent): void {
    if (stateType !== 'Task') return;
    if (kind === 'entered') this.#entered.set(state, now());
    const from = this.#entered.get(state);
    if (kind === 'exited' && from !== undefined) this.visits.push({ name: state, from, until: now() });
  }

  /** The engine of every run, before whose first step nothing is done, to see what the start takes. */
  newRunner(): StepRunner {
    const engine = sharedEngine();
    return async (step) => {
      const javaOptions = `${step.javaOptions} ${ATTACHABLE}`;
      if (this.start === undefined) {
        const from = now();
        const logFile = step.logFile.replace(/[^/]+$/, 'start.log');
        await engine({ ...step, javaOptions, logFile, script: NOTHING, arguments: [] });
        this.start = { from, until: now() };
      }
      return engine({ ...step, javaOptions });
    };
  }
}

async function measuredRun(events: string, lakeFolder: string): Promise<MeasuredRun> {
  const lake = await openLake(lakeFolder);
  const meter = new Meter();
  const summary = await withDefinition((definition) =>
    runLocally({
      lake,
      definition,
      eventsLocation: fileUri(events),
      request: {},
      signal: new AbortController().signal,
      newRunner: () => meter.newRunner(),
      observer: {
        onStart: () => {},
        onState: (event) => meter.onState(event),
        onProgress: () => {},
        onNote: (text) => console.error(text),
      },
    }),
  );
  return {
    summary,
    visits: meter.visits,
    ...(meter.start === undefined ? {} : { start: meter.start }),
  };
}

const [, , events = '', lake = ''] = process.argv;
console.log(JSON.stringify(await measuredRun(events, lake)));
