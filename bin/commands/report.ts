/** `churn report`: reports of runs that succeeded, locally or in a deployed pipeline. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import { REPORT, REPORT_INDEX } from '../../domain/lake-objects.ts';
import { LakeFolderError, openExistingLake } from '../../local/run/lake-folder.ts';
import { DEFAULT_LAKE, UsageError } from './arguments.ts';
import { namesPipeline, type PipelineOptions, withOptionalPipeline } from './deployed/options.ts';

interface ReportOptions extends Partial<PipelineOptions> {
  readonly lake: string;
  readonly run?: string;
  readonly all: boolean;
  readonly out: string;
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
    if (options.all && options.run !== undefined) throw new UsageError('Name either --run or --all.');
    const report = namesPipeline(options) ? await deployedReport(options) : await localReport(options);
    process.stdout.write(options.json ? `${JSON.stringify({ report }, undefined, 2)}\n` : `${report}\n`);
    if (!options.print && !options.json && process.stdout.isTTY) await open(report);
  });
}

/** A link signed with the reader's own credentials; with --all, the index in the folder of all that were fetched. */
async function deployedReport(options: ReportOptions & PipelineOptions): Promise<string> {
  const { openPipeline } = await import('./deployed/deployed-pipeline.ts');
  const links = await import('./deployed/report-link.ts');
  const pipeline = await openPipeline(options, process.env);
  if (options.all) {
    const { fetchReports } = await import('./deployed/fetch-reports.ts');
    const { report } = await links.latestReportLink(pipeline);
    return fetchReports(pipeline, report, options.out);
  }
  if (options.run === undefined) return (await links.latestReportLink(pipeline)).link;
  return links.reportLinkOf(pipeline, options.run);
}

async function localReport({ lake: folder, run, all }: ReportOptions): Promise<string> {
  const lake = await openExistingLake(folder);
  if (all) return existing(join(lake.path, REPORT_INDEX.key), `${lake.path} has no list of reports yet`);
  if (run !== undefined)
    return existing(join(lake.path, REPORT.of(run).key), `${lake.path} has no report of ${run}`);
  const report = await latestReport(join(lake.path, REPORT.folder));
  if (report === undefined) {
    throw new LakeFolderError(`There is no report in ${lake.path} yet: no run has succeeded.`);
  }
  return report;
}

function existing(path: string, problem: string): string {
  if (existsSync(path)) return path;
  throw new LakeFolderError(
    `${problem}: a run that succeeds writes it. churn query model-history lists the runs that succeeded.`,
  );
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
