/** `churn explore`: opens a report where it says who leaves. */
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { EXPLORATION_ANCHOR } from '../../domain/exploration.ts';
import { DEFAULT_LAKE } from './arguments.ts';
import { namesPipeline, withOptionalPipeline } from './deployed/options.ts';
import { openPage, type ReportChoice, reportAddress } from './report-address.ts';

type ExploreOptions = Omit<ReportChoice, 'all' | 'out'> & {
  readonly print: boolean;
  readonly json: boolean;
};

export function exploreCommand(): Command {
  const command = new Command('explore')
    .description('Open the latest report at "Who leaves": users who cancelled beside those who stayed.')
    .option('--lake <folder>', 'folder of the lake', DEFAULT_LAKE)
    .option('--run <id>', 'the report of that run')
    .option('--print', 'only print its address', false)
    .option('--json', 'print one JSON document and open nothing', false);
  return withOptionalPipeline(command).action(async (options: ExploreOptions) => {
    const report = await reportAddress({ ...options, all: false, out: '' });
    const page = namesPipeline(options) ? report : pathToFileURL(report).href;
    const address = `${page}#${EXPLORATION_ANCHOR}`;
    process.stdout.write(
      options.json ? `${JSON.stringify({ report: address }, undefined, 2)}\n` : `${address}\n`,
    );
    if (!options.print && !options.json && process.stdout.isTTY) await openPage(address);
  });
}
