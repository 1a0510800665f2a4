/** Measures a run from outside, with the time, memory and shares of each of its states. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logFolder } from '../domain/lake-objects.ts';
import { projectRoot } from '../setup/environment.mjs';
import { cpuSecondsOf, type Measurement, type MemorySample, measure, peakOf } from './measure.ts';
import { type MeasuredRun, measuredRunSchema } from './measured-run-output.ts';
import { type Interval, type Shares, sharesOf } from './shares.ts';
import { type Sample, sampleThreads } from './thread-sampler.ts';

const PROGRAM = join(projectRoot, 'bench', 'measured-run.ts');

export type Figures = Pick<Measurement, 'wallSeconds' | 'cpuSeconds' | 'peakBytes'>;

export interface StateFigures extends Figures {
  readonly name: string;
  /** Undefined where no thread could be seen: outside Linux, or in a state in which Spark does not run. */
  readonly shares: Shares | undefined;
}

export interface RunFigures extends Figures {
  /** Rows that the run ingested. */
  readonly rows: number;
  readonly auc: number | undefined;
  readonly scored: number;
  readonly ingestCpuSeconds: number;
  readonly hasTrained: boolean;
  readonly states: readonly StateFigures[];
}

/** @throws when the run does not succeed */
export async function measureRun(events: string, lake: string): Promise<RunFigures> {
  const ending = new AbortController();
  let sampling: Promise<readonly Sample[]> = Promise.resolve([]);
  const measured = await measure([process.execPath, PROGRAM, events, lake], {
    onStart: (pid) => {
      sampling = sampleThreads(pid, ending.signal);
    },
  }).finally(() => ending.abort());
  const { output, memory, wallSeconds, cpuSeconds, peakBytes } = measured;
  const run = measuredRunSchema.parse(JSON.parse(output));
  const { summary } = run;
  if (summary.status !== 'SUCCEEDED') throw new Error(`the run ended as ${summary.status}:\n${output}`);
  const times = join(lake, logFolder(summary.runId), 'IngestEvents.times');
  return {
    wallSeconds,
    cpuSeconds,
    peakBytes,
    rows: summary.counts.read,
    auc: summary.model.metrics.auc,
    scored: summary.scored,
    // Spark's start is a step of its own here, and belongs to the first that runs.
    ingestCpuSeconds:
      cpuSecondsOf(readFileSync(times, 'utf8')) + (run.start === undefined ? 0 : cpuOf(run.start)),
    hasTrained: summary.notTrained === null,
    states: stateFigures(run, memory, await sampling),
  };
}

/** What each visit of a state took. */
export function stateFigures(
  { visits, start }: Pick<MeasuredRun, 'visits' | 'start'>,
  memory: readonly MemorySample[],
  samples: readonly Sample[],
): readonly StateFigures[] {
  return visits.map(({ name, from, until }) => {
    const state: Interval = { from, until };
    const startInside =
      start !== undefined && start.from.at >= from.at && start.until.at <= until.at ? start : undefined;
    const isSampled = samples.some(({ at }) => at >= from.at && at < until.at);
    return {
      name,
      wallSeconds: (until.at - from.at) / 1_000,
      cpuSeconds: cpuOf(state),
      peakBytes: peakOf(memory.filter(({ at }) => at >= from.at && at < until.at)),
      shares: isSampled ? sharesOf(state, startInside, samples) : undefined,
    };
  });
}

function cpuOf({ from, until }: Interval): number {
  return Math.max(0, until.times.all - from.times.all);
}
