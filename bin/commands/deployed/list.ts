/** `churn list`: the latest runs of a deployed pipeline. */
import { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { type PipelineOptions, withPipelineOptions } from './options.ts';
import { outcomeOf } from './outcome.ts';
import { listText } from './text.ts';

interface ListOptions extends PipelineOptions {
  readonly most: number;
  readonly json: boolean;
}

/** Number of descriptions requested at a time: the service limits the requests per second. */
const TOGETHER = 5;

export function listCommand(): Command {
  const command = new Command('list')
    .description(
      'List the latest runs of a deployed pipeline, with the outcome, duration and reason of each.',
    )
    .option('--most <number>', 'number of runs', wholeNumber(1, 100), 10)
    .option('--json', 'print a JSON array', false);
  return withPipelineOptions(command).action(async (options: ListOptions) => {
    const { openPipeline } = await import('./deployed-pipeline.ts');
    const pipeline = await openPipeline(options, process.env);
    const arns = await pipeline.latest(options.most);
    const descriptions = [];
    for (let start = 0; start < arns.length; start += TOGETHER) {
      const slice = arns.slice(start, start + TOGETHER);
      descriptions.push(...(await Promise.all(slice.map((arn) => pipeline.describe(arn)))));
    }
    const now = new Date();
    // `churn watch` shows the states of a run.
    const outcomes = descriptions.map((description) => outcomeOf(description, now));
    process.stdout.write(
      options.json
        ? `${JSON.stringify(
            outcomes.map(({ states: _, ...outcome }) => outcome),
            undefined,
            2,
          )}\n`
        : listText(outcomes),
    );
  });
}
