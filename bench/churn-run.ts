/** A run as a user starts it, measured. */
import { join } from 'node:path';
import { projectRoot } from '../setup/environment.mjs';
import { type Measurement, measure } from './measure.ts';

export interface ChurnRun {
  /** Folder of the event files. */
  readonly events: string;
  readonly lake: string;
  /** The project whose run it is; default: this one. */
  readonly root?: string;
}

/** @returns with the summary of the run, as JSON, in its output @throws when the run fails */
export function churnRun({ events, lake, root = projectRoot }: ChurnRun): Promise<Measurement> {
  const churn = join(root, 'bin', 'churn.ts');
  return measure([process.execPath, churn, 'run', '--events', events, '--lake', lake, '--json'], {
    folder: root,
  });
}
