/** `churn watch`: follows a run of a deployed pipeline until it ends. */
import { Command } from 'commander';
import { displayFor } from '../../terminal/display.ts';
import type { DeployedPipeline } from './deployed-pipeline.ts';
import { DeployedError } from './errors.ts';
import { follow } from './follow.ts';
import { executionArnOf } from './names.ts';
import { type PipelineOptions, withPipelineOptions } from './options.ts';
import { isSuccess } from './outcome.ts';
import { outcomeText } from './text.ts';

const INTERRUPTED = 130;

interface WatchOptions extends PipelineOptions {
  readonly json: boolean;
}

export function watchCommand(): Command {
  const command = new Command('watch')
    .description(
      'Watch a run of a deployed pipeline; exits with 0 only if it succeeded or had nothing to do.',
    )
    .argument('[run]', 'id of the run (default: the run in progress, or else the latest)')
    .option('--json', 'print one JSON document at the end; progress goes to standard error', false);
  return withPipelineOptions(command).action(async (run: string | undefined, options: WatchOptions) => {
    const { openPipeline } = await import('./deployed-pipeline.ts');
    const pipeline = await openPipeline(options, process.env);
    const executionArn =
      run === undefined ? await latestRun(pipeline) : executionArnOf(pipeline.stateMachineArn, run);
    await watchUntilEnd(pipeline, executionArn, options.json);
  });
}

/** The run in progress, or else the one that started last. */
export async function latestRun(pipeline: Pick<DeployedPipeline, 'latest'>): Promise<string> {
  const [running] = await pipeline.latest(1, 'RUNNING');
  const [latest] = running === undefined ? await pipeline.latest(1) : [running];
  if (latest === undefined) {
    throw new DeployedError('This pipeline has had no run yet: `churn start` starts one.');
  }
  return latest;
}

/** Follows the run, prints its outcome, and sets the exit code. Ctrl-C stops watching, not the run. */
export async function watchUntilEnd(
  pipeline: DeployedPipeline,
  executionArn: string,
  json: boolean,
): Promise<void> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt);
  try {
    const { signal } = controller;
    const outcome = await follow({
      pipeline,
      executionArn,
      displayOf: (states) => displayFor(states, process.stderr, process.env),

      signal,
    });
    process.stdout.write(json ? `${JSON.stringify(outcome, undefined, 2)}\n` : `\n${outcomeText(outcome)}`);
    if (signal.aborted && outcome.status === 'RUNNING') {
      process.stderr.write('The run continues; `churn stop` stops it.\n');
      process.exitCode = INTERRUPTED;
    } else {
      process.exitCode = isSuccess(outcome) ? 0 : 1;
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
}
