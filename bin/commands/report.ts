/** `churn report`: reports of runs that succeeded, locally or in a deployed pipeline. */
import { Command } from 'commander';
import { DEFAULT_LAKE } from './arguments.ts';
import { withOptionalPipeline } from './deployed/options.ts';
import { openPage, type ReportChoice, reportAddress } from './report-address.ts';

interface ReportOptions extends ReportChoice {
  readonly print: boolean;
  readonly json: boolean;
}

export function reportCommand(): Command {
  const command = new Command('report')
    .description(
      'Open a report and print its address: the latest one, on this machine or, with --stage, in a deployed pipeline.',
    )
    .option('--lake <folder>', 'folder of the lake', DEFAULT_LAKE)
    .option('--run <id>', 'the report of that run')
    .option('--all', 'the index of all reports; with --stage, all are fetched into a folder first', false)
    .option('--out <folder>', 'where --all --stage puts them', 'churn-reports')
    .option('--print', 'only print its address', false)
    .option('--json', 'print one JSON document and open nothing', false);
  return withOptionalPipeline(command).action(async (options: ReportOptions) => {
    const report = await reportAddress(options);
    process.stdout.write(options.json ? `${JSON.stringify({ report }, undefined, 2)}\n` : `${report}\n`);
    if (!options.print && !options.json && process.stdout.isTTY) await openPage(report);
  });
}
