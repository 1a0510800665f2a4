/** `churn report`: the report of the last run that succeeded. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import { LakeFolderError, openExistingLake } from '../../local/lake-folder.ts';
import { DEFAULT_LAKE } from './arguments.ts';

export function reportCommand(): Command {
  return new Command('report')
    .description('Open the latest report, and print where it lies.')
    .option('--lake <folder>', 'folder of the lake', DEFAULT_LAKE)
    .option('--print', 'only print where it lies')
    .action(async ({ lake: folder, print }: { readonly lake: string; readonly print?: boolean }) => {
      const lake = await openExistingLake(folder);
      const report = await latestReport(join(lake.path, 'reports'));
      if (report === undefined) {
        throw new LakeFolderError(`There is no report in ${lake.path} yet: no run has succeeded.`);
      }
      console.log(report);
      if (print !== true && process.stdout.isTTY) await open(report);
    });
}

async function latestReport(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const reports = await Promise.all(
    names
      .filter((name) => name.endsWith('.html'))
      .map(async (name) => ({ path: join(folder, name), time: (await stat(join(folder, name))).mtimeMs })),
  );
  return reports.sort((a, b) => b.time - a.time)[0]?.path;
}

/** Hands the page to the machine's browser; where there is none, the printed path has to do. */
async function open(path: string): Promise<void> {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  await execa(command, [path], { stdio: 'ignore', reject: false });
}
