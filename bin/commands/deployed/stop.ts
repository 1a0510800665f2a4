/** `churn stop`: stops a run of a deployed pipeline. */
import { Command } from 'commander';
import { executionArnOf } from './names.ts';
import { type PipelineOptions, withPipelineOptions } from './options.ts';
import { outcomeOf } from './outcome.ts';

interface StopOptions extends PipelineOptions {
  readonly json: boolean;
}

export function stopCommand(): Command {
  const command = new Command('stop')
    .description(
      'Stop a run of a deployed pipeline. Its cluster is terminated and its lease released within minutes.',
    )
    .argument('<run>', 'id of the run')
    .option('--json', 'print one JSON document', false);
  return withPipelineOptions(command).action(async (run: string, options: StopOptions) => {
    const { openPipeline } = await import('./deployed-pipeline.ts');
    const pipeline = await openPipeline(options, process.env);
    const executionArn = executionArnOf(pipeline.stateMachineArn, run);
    const before = outcomeOf(await pipeline.describe(executionArn), new Date());
    const isRunning = before.status === 'RUNNING';
    if (isRunning) await pipeline.stop(executionArn);
    const { runId } = before;
    const status = isRunning ? 'ABORTED' : before.status;
    const text = isRunning
      ? `Run ${runId} is stopped: close-run terminates its cluster and releases its lease. churn start --resume ${runId} resumes it.`
      : `Run ${runId} had already ended: ${status}.`;
    process.stdout.write(
      options.json ? `${JSON.stringify({ runId, status, stopped: isRunning }, undefined, 2)}\n` : `${text}\n`,
    );
  });
}
