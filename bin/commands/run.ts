/** `churn run`: a whole run on this machine. */
import { Command } from 'commander';
import type { RunRequest } from '../../lib/domain/run.ts';
import { displayFor } from '../../local/display/display.ts';
import { summaryText } from '../../local/display/summary-text.ts';
import { mainPath, parseMachine } from '../../local/interpreter/states.ts';
import { openLake } from '../../local/lake-folder.ts';
import { fileUri } from '../../local/ports/file-uris.ts';
import { ensureDefaultLog } from '../../local/run/default-log.ts';
import { runLocally } from '../../local/run/local-run.ts';
import { isSuccess, type RunSummary, runSummarySchema } from '../../local/run/summary.ts';
import { DEFAULT_LAKE, eventsLocation, isoDay, share, wholeNumber } from './arguments.ts';
import { onInterrupt } from './interrupt.ts';

const INTERRUPTED = 130;

interface RunArguments {
  readonly events?: string;
  readonly lake: string;
  readonly json: boolean;
  readonly observationEnd?: string;
  readonly horizonDays?: number;
  readonly maxQuarantineShare?: number;
  readonly seed?: number;
  readonly force?: boolean;
  readonly resume?: string;
}

export function runCommand(): Command {
  return new Command('run')
    .description(
      'Run the whole pipeline on this machine: the state machine that would be deployed, with real Spark.',
    )
    .option(
      '--events <location>',
      'folder, file or glob of event files (default: a generated log in the lake)',
    )
    .option('--lake <folder>', 'folder for everything the run writes', DEFAULT_LAKE)
    .option('--json', 'print one JSON document at the end; progress goes to standard error', false)
    .option(
      '--observation-end <day>',
      'day before whose start everything is known (default: found in the log)',
      isoDay,
    )
    .option('--horizon-days <number>', 'how far ahead cancellations are predicted', wholeNumber(1, 60))
    .option('--max-quarantine-share <share>', 'fail above this share of refused rows', share)
    .option('--seed <number>', 'seed of everything random', wholeNumber(0, 2_147_483_647))
    .option('--force', 'run even when there is no new file')
    .option('--resume <run id>', 'take up the plan of a run that failed; steps that succeeded are skipped')
    .action(async (options: RunArguments) => {
      const summary = await run(options);
      process.stdout.write(
        options.json
          ? `${JSON.stringify(runSummarySchema.parse(summary), undefined, 2)}\n`
          : `\n${summaryText(summary)}`,
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
  if (given === undefined) await ensureDefaultLog(lake.generatedLog, note);
  // The CDK takes seconds to load: only a run waits for it.
  const { withDefinition } = await import('../../local/synthesize.ts');
  return withDefinition(async (definition) => {
    const display = displayFor(mainPath(parseMachine(definition.states)), process.stderr, process.env);
    try {
      return await runLocally({
        lake,
        definition,
        eventsLocation: fileUri(given ?? lake.generatedLog),
        request: requestOf(options),
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

function requestOf(options: RunArguments): RunRequest {
  const { observationEnd, horizonDays, maxQuarantineShare, seed, force, resume } = options;
  return {
    ...(observationEnd === undefined ? {} : { observationEnd }),
    ...(horizonDays === undefined ? {} : { horizonDays }),
    ...(maxQuarantineShare === undefined ? {} : { maxQuarantineShare }),
    ...(seed === undefined ? {} : { seed }),
    ...(force === undefined ? {} : { force }),
    ...(resume === undefined ? {} : { resume }),
  };
}
