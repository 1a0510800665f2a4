/** `churn start`: starts a run of a deployed pipeline. */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { fieldsToLeaveOut } from '../../../domain/request-fields.ts';
import type { RunRequest } from '../../../domain/run.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import { UsageError } from '../arguments.ts';
import { type RequestOptions, requestOf, withRequestOptions } from '../request.ts';
import { consoleLink, newRunId } from './names.ts';
import { type PipelineOptions, pipelineWords, withPipelineOptions } from './options.ts';
import { watchUntilEnd } from './watch.ts';

interface StartOptions extends PipelineOptions, RequestOptions {
  readonly watch: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export function startCommand(): Command {
  const command = new Command('start').description('Start a run of a deployed pipeline.');
  withRequestOptions(command, 'start')
    .option('--watch', 'watch the run until it ends; the exit code shows whether it succeeded', false)
    .option('--dry-run', 'say what the run would read, cost and refuse; nothing is started or written', false)
    .option('--json', 'print one JSON document', false);
  return withPipelineOptions(command).action(async (options: StartOptions) => {
    const request = startRequest(options);
    // Loading the SDK takes a moment: only commands that need it load it.
    const { openPipeline } = await import('./deployed-pipeline.ts');
    const pipeline = await openPipeline(options, process.env);
    if (options.dryRun) {
      const { dryRunDeployed } = await import('./dry-run.ts');
      const found = await dryRunDeployed(pipeline.stateMachineArn, request);
      process.stdout.write(options.json ? `${JSON.stringify(found, undefined, 2)}\n` : dryRunText(found));
      process.exitCode = found.decision === 'refused' ? 1 : 0;
      return;
    }
    const runId = newRunId(new Date(), randomBytes(2).toString('hex'));
    const executionArn = await pipeline.start(runId, request);
    if (options.watch) {
      await watchUntilEnd(pipeline, executionArn, options.json);
      return;
    }
    const link = consoleLink(executionArn);
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ runId, executionArn, request, console: link }, undefined, 2)}\n`
        : `Run ${runId} has started.\n  Watch:   churn watch ${runId}${pipelineWords(options)}\n  Console: ${link}\n`,
    );
  });
}

/**
 * The request as it is sent; the first state of the run checks it.
 * @throws UsageError if a run is to be resumed with other options
 */
export function startRequest(options: RequestOptions): RunRequest {
  const request = requestOf(options, 'start');
  if (fieldsToLeaveOut(request).length > 0) {
    throw new UsageError('A resumed run takes the plan unchanged: leave out all options except --resume.');
  }
  return request;
}
