/** `churn start`: starts a run of a deployed pipeline. */
import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import type { RunRequest } from '../../../domain/run.ts';
import { UsageError } from '../arguments.ts';
import { type RequestOptions, requestOf, withRequestOptions } from '../request.ts';
import { consoleLink, newRunId } from './names.ts';
import { type PipelineOptions, withPipelineOptions } from './options.ts';
import { watchUntilEnd } from './watch.ts';

interface StartOptions extends PipelineOptions, RequestOptions {
  readonly events?: string;
  readonly watch: boolean;
  readonly json: boolean;
}

export function startCommand(): Command {
  const command = new Command('start')
    .description('Start a run of a deployed pipeline.')
    .option(
      '--events <location>',
      "s3:// folder, file or glob of event files (default: the deployment's log)",
      s3Uri,
    )
    .option('--watch', 'watch the run until it ends; the exit code shows whether it succeeded', false)
    .option('--json', 'print one JSON document', false);
  return withPipelineOptions(withRequestOptions(command)).action(async (options: StartOptions) => {
    const request = startRequest(options);
    // Loading the SDK takes a moment: only commands that need it load it.
    const { openPipeline } = await import('./deployed-pipeline.ts');
    const pipeline = await openPipeline(options, process.env);
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
export function startRequest({
  events,
  ...options
}: RequestOptions & { readonly events?: string }): RunRequest {
  const request = { ...requestOf(options), ...(events === undefined ? {} : { events }) };
  if (request.resume !== undefined && Object.keys(request).length > 1) {
    throw new UsageError('A resumed run takes the plan unchanged: leave out all options except --resume.');
  }
  return request;
}

function s3Uri(text: string): string {
  if (!/^s3:\/\/[a-z0-9][a-z0-9.-]+\/?/.test(text)) {
    throw new InvalidArgumentError(
      'It must be an address in S3: s3://bucket/folder. For a log on this machine: churn run.',
    );
  }
  return text;
}

/** The options that identify the same pipeline. */
function pipelineWords({ stage, name, region, stateMachine }: PipelineOptions): string {
  if (stateMachine !== undefined) return ` --state-machine ${stateMachine}`;
  return [
    stage === 'dev' ? '' : ` --stage ${stage}`,
    name === 'churn' ? '' : ` --name ${name}`,
    region === undefined ? '' : ` --region ${region}`,
  ].join('');
}
