/** `churn run`: a complete run on this machine. */
import { Command } from 'commander';
import { fileUri } from '../../local/adapters/file-uris.ts';
import { mainPath, parseMachine } from '../../local/interpreter/state-language.ts';
import { ensureDefaultLog } from '../../local/run/default-log.ts';
import { openLake } from '../../local/run/lake-folder.ts';
import { runLocally } from '../../local/run/local-run.ts';
import { isSuccess, type RunSummary, runSummarySchema } from '../../local/run/run-summary.ts';
import { displayFor } from '../terminal/choose-display.ts';
import { paintFor } from '../terminal/paint.ts';
import { summaryText } from '../terminal/summary-text.ts';
import { DEFAULT_LAKE, eventsLocation } from './arguments.ts';
import { onInterrupt } from './interrupt.ts';
import { type RequestOptions, requestOf, withRequestOptions } from './request.ts';

const INTERRUPTED = 130;

interface RunArguments extends RequestOptions {
  readonly events?: string;
  readonly lake: string;
  readonly json: boolean;
}

export function runCommand(): Command {
  const command = new Command('run')
    .description(
      'Run the whole pipeline on this machine: the state machine that would be deployed, with real Spark.',
    )
    .option(
      '--events <location>',
      'folder, file or glob of event files (default: a generated log in the lake)',
    )
    .option('--lake <folder>', 'folder for everything the run writes', DEFAULT_LAKE)
    .option('--json', 'print one JSON document at the end; progress goes to standard error', false);
  return withRequestOptions(command, 'run').action(async (options: RunArguments) => {
    const summary = await run(options);
    process.stdout.write(
      options.json
        ? `${JSON.stringify(runSummarySchema.parse(summary), undefined, 2)}\n`
        : `\n${summaryText(summary, paintFor(process.stdout))}`,
    );
    process.exitCode = isSuccess(summary) ? 0 : summary.status === 'ABORTED' ? INTERRUPTED : 1;
  });
}

async function run(options: RunArguments): Promise<RunSummary> {
  const interrupt = onInterrupt();
  const note = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  const given = options.events === undefined ? undefined : eventsLocation(options.events, options.lake);
  const lake = await openLake(options.lake);
  // A resumed run takes its files from the old plan.
  if (given === undefined && options.resume === undefined) await ensureDefaultLog(lake.generatedLog, note);
  // Loading the CDK takes seconds: only a run needs it.
  const { withDefinition } = await import('../../local/template/synthesize.ts');
  return withDefinition(async (definition) => {
    const display = displayFor(mainPath(parseMachine(definition.states)), process.stderr, process.env);
    try {
      return await runLocally({
        lake,
        definition,
        eventsLocation: fileUri(given ?? lake.generatedLog),
        request: requestOf(options, 'run'),
        observer: display,
        signal: interrupt.signal,
        onKillable: interrupt.onSecond,
      });
    } finally {
      await display.end();
      interrupt.release();
    }
  });
}
