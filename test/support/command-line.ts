/** The command line in a process of its own, as a script runs it, and why a run failed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSuccess, type RunSummary, runSummarySchema } from '../../local/run/run-summary.ts';
import { projectRoot } from '../../setup/environment.mjs';

/** What is shown of the log of a state. */
const LOG_CHARACTERS = 6_000;

export interface Ended {
  /** Exit code; null where a signal ended the process. */
  readonly code: number | null;
  /** Standard output: with --json the summary, which has the reason of a failure. */
  readonly output: string;
  /** Standard error output. */
  readonly progress: string;
}

export interface Churn {
  readonly process: ChildProcess;
  /** The standard error output so far. */
  readonly progress: () => string;
  readonly ended: Promise<Ended>;
}

/** Starts `churn` with the arguments. */
export function churn(...args: readonly string[]): Churn {
  const child = spawn(process.execPath, [join(projectRoot, 'bin/churn.ts'), ...args], {
    env: { ...process.env, CI: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let progress = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    progress += text;
  });
  const ended = once(child, 'close').then(([code]) => ({
    code: typeof code === 'number' ? code : null,
    output,
    progress,
  }));
  return { process: child, progress: () => progress, ended };
}

/** Runs `churn run --json` to its end, whatever that is. */
export function churnRun(lake: string, events: string, ...more: readonly string[]): Promise<Ended> {
  return churn('run', '--events', events, '--lake', lake, '--json', ...more).ended;
}

/** The summary of a run that must exit with 0. */
export async function successfulRun(
  lake: string,
  events: string,
  ...more: readonly string[]
): Promise<RunSummary> {
  const ended = await churnRun(lake, events, ...more);
  const summary = summaryOf(ended);
  if (ended.code !== 0 || summary === undefined || !isSuccess(summary)) throw new Error(await whyOf(ended));
  return summary;
}

/** The summary that a run printed; undefined where it printed something else. */
export function summaryOf({ output }: Ended): RunSummary | undefined {
  try {
    return runSummarySchema.parse(JSON.parse(output));
  } catch {
    return undefined;
  }
}

/** All that says why a run failed: what it printed, and the end of the log of the state that failed. */
export async function whyOf(ended: Ended): Promise<string> {
  const summary = summaryOf(ended);
  const parts = [`churn run ended with exit code ${ended.code}`, ended.progress, ended.output];
  return [...parts, summary === undefined ? '' : await lastLines(summary)].join('\n');
}

/** The end of the log of the state in which a run failed; empty where there is none. */
export async function lastLines(summary: RunSummary): Promise<string> {
  if (!('error' in summary) || summary.logs === null) return '';
  const name = `${summary.error.state}.log`;
  const text = await readFile(join(summary.logs, name), 'utf8').catch(() => undefined);
  return text === undefined ? `there is no ${name}` : `the end of ${name}:\n${text.slice(-LOG_CHARACTERS)}`;
}
