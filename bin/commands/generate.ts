/** `churn generate`: writes an event log with the statistics of a real one. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { DEFAULT_START_DATE, generateLog } from '../../generator/generate.ts';
import { ProgressLine } from '../terminal/pace.ts';
import { count } from '../terminal/words.ts';
import { isoDay, wholeNumber } from './arguments.ts';

interface GenerateArguments {
  readonly users: number;
  readonly days: number;
  readonly seed: number;
  readonly out: string;
  readonly dirty: boolean;
  readonly start: string;
  readonly json: boolean;
}

export function generateCommand(): Command {
  return new Command('generate')
    .description('Write an event log: one JSON-lines file per day, the same bytes for the same seed.')
    .requiredOption('--users <number>', 'number of users', wholeNumber(1, 10_000_000))
    .requiredOption('--days <number>', 'number of days', wholeNumber(1, 3_660))
    .requiredOption('--out <folder>', 'folder to write to; it must not contain event files')
    .option('--seed <number>', 'seed of all random numbers', wholeNumber(0, 2_147_483_647), 1)
    .option('--start <day>', 'first day, UTC', isoDay, DEFAULT_START_DATE)
    .option('--dirty', 'mix in every defect that ingest must handle', false)
    .option('--json', 'print one JSON document', false)
    .action(async (options: GenerateArguments) => {
      const outputFolder = resolve(options.out);
      const line = new ProgressLine(process.stderr);
      let written = 0;
      const summary = await generateLog(
        {
          users: options.users,
          days: options.days,
          seed: options.seed,
          outputFolder,
          dirty: options.dirty,
          startDate: options.start,
        },
        (events, day) => {
          written += 1;
          line.show(`${day}: ${count(events)} events`, written / options.days);
        },
      );
      line.clear();
      if (options.json) {
        console.log(JSON.stringify({ ...summary, folder: outputFolder }, undefined, 2));
        return;
      }
      console.log(
        `${count(summary.events)} events of ${count(summary.users)} users, of whom ${count(summary.cancellations)} ` +
          `cancel, in ${summary.files} files (${count(Math.round(summary.bytes / 1e6))} MB) in ${outputFolder}`,
      );
    });
}
