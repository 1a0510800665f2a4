/** Where reports are, on this machine and in a deployed pipeline, and how one is opened. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { REPORT, REPORT_INDEX } from '../../domain/lake-objects.ts';
import { LakeFolderError, openExistingLake } from '../../local/run/lake-folder.ts';
import { UsageError } from './arguments.ts';
import { namesPipeline, type PipelineOptions } from './deployed/options.ts';

/** Which report: the newest, unless a run or all are named. */
export interface ReportChoice extends Partial<PipelineOptions> {
  readonly lake: string;
  readonly run?: string;
  readonly all: boolean;
  /** Where all reports of a deployed pipeline are put. */
  readonly out: string;
}

/** Address of the report that is asked for: a path, or a link. @throws UsageError, LakeFolderError */
export function reportAddress(options: ReportChoice): Promise<string> {
  if (options.all && options.run !== undefined) throw new UsageError('Name either --run or --all.');
  return namesPipeline(options) ? deployedReport(options) : localReport(options);
}

/** Opens the page in the machine's browser; if there is none, the printed address has to do. */
export async function openPage(address: string): Promise<void> {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  await execa(command, [address], { stdio: 'ignore', reject: false });
}

/** A link signed with the reader's own credentials; with --all, the index in the folder of all that were fetched. */
async function deployedReport(options: ReportChoice & PipelineOptions): Promise<string> {
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

async function localReport({ lake: folder, run, all }: ReportChoice): Promise<string> {
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
