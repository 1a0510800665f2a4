/** `churn backtest`: what a run of an earlier day would have said, beside what came. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../../../domain/user-error.ts';
import { fileUri } from '../../../local/adapters/file-uris.ts';
import { mainPath, parseMachine } from '../../../local/interpreter/state-language.ts';
import { type LakeFolder, openExistingLake, openLake } from '../../../local/run/lake-folder.ts';
import { runLocally } from '../../../local/run/local-run.ts';
import { displayFor } from '../../terminal/choose-display.ts';
import { DEFAULT_LAKE, isoDay } from '../arguments.ts';
import { onInterrupt } from '../interrupt.ts';
import { backtest, type RunOn } from './backtest.ts';
import { backtestText } from './backtest-text.ts';

interface BacktestOptions {
  readonly asOf: string;
  readonly lake: string;
  readonly scratch?: string;
  readonly json: boolean;
}

export function backtestCommand(): Command {
  return new Command('backtest')
    .description(
      'Run the pipeline on the events before a day only, in a scratch lake, and compare its scores with who then cancelled. ' +
        "The lake's own runs are left as they are.",
    )
    .requiredOption('--as-of <day>', 'the day on which the users are scored, YYYY-MM-DD (UTC)', isoDay)
    .option('--lake <folder>', 'folder of the lake with the whole log', DEFAULT_LAKE)
    .option('--scratch <folder>', 'keep the scratch lake, in this new folder (default: it is removed)')
    .option('--json', 'print one JSON document; progress goes to standard error', false)
    .action(async (options: BacktestOptions) => {
      const source = await openExistingLake(options.lake);
      let interrupt = onInterrupt();
      const temporary =
        options.scratch === undefined ? await mkdtemp(join(tmpdir(), 'churn-backtest-')) : undefined;
      const remove = (): void => {
        if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
      };
      // Also if the process is interrupted: while the log is copied, by the second Ctrl-C in the run, or after it.
      process.once('exit', remove);
      try {
        const scratch = await openLake(options.scratch ?? temporary ?? '');
        const runInScratch = runIn(scratch);
        const run: RunOn = async (eventsFolder, request) => {
          interrupt.release();
          await runInScratch(eventsFolder, request);
          interrupt = onInterrupt();
        };
        const found = await backtest(options.asOf, { source, scratch, run });
        process.stdout.write(
          options.json ? `${JSON.stringify(found, undefined, 2)}\n` : `\n${backtestText(found)}`,
        );
      } finally {
        interrupt.release();
        process.off('exit', remove);
        remove();
      }
    });
}

/** Runs the pipeline in a lake; the progress is shown on standard error. */
function runIn(lake: LakeFolder): RunOn {
  return async (eventsFolder, request) => {
    // Loading the CDK takes seconds: only a run needs it.
    const { withDefinition } = await import('../../../local/template/synthesize.ts');
    const interrupt = onInterrupt();
    const summary = await withDefinition(async (definition) => {
      const display = displayFor(mainPath(parseMachine(definition.states)), process.stderr, process.env);
      try {
        return await runLocally({
          ...{ lake, definition, request, observer: display, signal: interrupt.signal },
          eventsLocation: fileUri(eventsFolder),
          onKillable: interrupt.onSecond,
        });
      } finally {
        await display.end();
        interrupt.release();
      }
    });
    if (summary.status === 'SUCCEEDED') return;
    const why =
      summary.status === 'NOTHING_TO_DO'
        ? summary.reason
        : `${summary.error.message} ${summary.error.whatToDo}`;
    throw new UserError(`The run on the events before ${request.observationEnd} did not succeed: ${why}`);
  };
}
