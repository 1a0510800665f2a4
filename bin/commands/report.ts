/** `churn report`: the report of the last run that succeeded, locally or in a deployed pipeline. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import { REPORT } from '../../domain/lake-objects.ts';
import { LakeFolderError, openExistingLake } from '../../local/run/lake-folder.ts';
import { DEFAULT_LAKE } from './arguments.ts';
import { namesPipeline, type PipelineOptions, withOptionalPipeline } from './deployed/options.ts';

interface ReportOptions extends Partial<PipelineOptions> {
  readonly lake: string;
  readonly print?: boolean;
}

export function reportCommand(): Command {
  const command = new Command('report')
    .description(
      'Open the latest report and print its address: on this machine or, with --stage, in a deployed pipeline.',
    )
    .option('--lake <folder>', 'folder of the lake', DEFAULT_LAKE)
    .option('--print', 'only print its address');
  return withOptionalPipeline(command).action(async (options: ReportOptions) => {
    const report = namesPipeline(options) ? await deployedReport(options) : await localReport(options.lake);
    console.log(report);
    if (options.print !== true && process.stdout.isTTY) await open(report);
  });
}

/** A link signed with the reader's own credentials. */
async function deployedReport(options: PipelineOptions): Promise<string> {
  const { openPipeline } = await import('./deployed/deployed-pipeline.ts');
  const { latestReportLink } = await import('./deployed/report-link.ts');
  return (await latestReportLink(await openPipeline(options, process.env))).link;
}

async function localReport(folder: string): Promise<string> {
  const lake = await openExistingLake(folder);
  const report = await latestReport(join(lake.path, REPORT.folder));
  if (report === undefined) {
    throw new LakeFolderError(`There is no report in ${lake.path} yet: no run has succeeded.`);
  }
  return report;
}

async function latestReport(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const reports = await Promise.all(
    names
      .filter((name) => REPORT.idOf(name) !== undefined)
      .map(async (name) => ({ path: join(folder, name), time: (await stat(join(folder, name))).mtimeMs })),
  );
  return reports.sort((a, b) => b.time - a.time)[0]?.path;
}

/** Opens the page in the machine's browser; if there is none, the printed path has to do. */
async function open(path: string): Promise<void> {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  await execa(command, [path], { stdio: 'ignore', reject: false });
}
