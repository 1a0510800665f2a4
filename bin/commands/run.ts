/** `churn run`: a complete run on this machine. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { type MachineFacts, machineFindings } from '../../domain/machine.ts';
import { findingText } from '../../domain/preflight.ts';
import type { RunRequest } from '../../domain/run.ts';
import { UserError } from '../../domain/user-error.ts';
import type { DryRun } from '../../lambda/start-training/dry-run.ts';
import { fileUri } from '../../local/adapters/file-uris.ts';
import { mainPath, parseMachine } from '../../local/interpreter/state-language.ts';
import { ensureDefaultLog } from '../../local/run/default-log.ts';
import { lakeAt, openLake } from '../../local/run/lake-folder.ts';
import { dryRunLocally } from '../../local/run/local-dry-run.ts';
import { runLocally } from '../../local/run/local-run.ts';
import { machineFacts } from '../../local/run/machine-facts.ts';
import { isSuccess, type RunSummary, runSummarySchema } from '../../local/run/run-summary.ts';
import { displayFor } from '../terminal/choose-display.ts';
import { dryRunText } from '../terminal/dry-run-text.ts';
import { paintFor } from '../terminal/paint.ts';
import { summaryText } from '../terminal/summary-text.ts';
import { DEFAULT_LAKE, eventsLocation, UsageError } from './arguments.ts';
import { onInterrupt } from './interrupt.ts';
import { type RequestOptions, requestOf, withRequestOptions } from './request.ts';

const INTERRUPTED = 130;

interface RunArguments extends RequestOptions {
  readonly events?: string;
  readonly lake: string;
  readonly json: boolean;
  readonly dryRun: boolean;
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
    .option('--dry-run', 'say what the run would read, cost and refuse; nothing is written', false)
    .option('--json', 'print one JSON document at the end; progress goes to standard error', false);
  return withRequestOptions(command, 'run').action(async (options: RunArguments) => {
    refuseMachine(await machineFacts(options.lake, process.env));
    if (options.dryRun) {
      const found = await tryRun(options);
      process.stdout.write(options.json ? `${JSON.stringify(found, undefined, 2)}\n` : dryRunText(found));
      process.exitCode = found.decision === 'refused' ? 1 : 0;
      return;
    }
    const summary = await run(options);
    process.stdout.write(
      options.json
        ? `${JSON.stringify(runSummarySchema.parse(summary), undefined, 2)}\n`
        : `\n${summaryText(summary, paintFor(process.stdout))}`,
    );
    process.exitCode = isSuccess(summary) ? 0 : summary.status === 'ABORTED' ? INTERRUPTED : 1;
  });
}

/** The request with the addresses that files of this machine have in the lake. */
export function withAddresses({ takeOut, ...request }: RunRequest): RunRequest {
  if (takeOut === undefined) return request;
  const places = typeof takeOut === 'string' ? [takeOut] : takeOut;
  return {
    ...request,
    takeOut: places.map((place) => (place.startsWith('file:') ? place : fileUri(resolve(place)))),
  };
}

/** @throws UserError naming what of this machine stops every run */
function refuseMachine(facts: MachineFacts): void {
  const stops = machineFindings(facts).filter(({ stopsRuns }) => stopsRuns);
  if (stops.length === 0) return;
  throw new UserError(
    `No run can be started on this machine:\n${stops.map((finding) => `- ${findingText(finding)}`).join('\n')}`,
  );
}

async function tryRun(options: RunArguments): Promise<DryRun> {
  const lake = await lakeAt(options.lake);
  const given = options.events === undefined ? undefined : eventsLocation(options.events, options.lake);
  if (given === undefined && !existsSync(lake.generatedLog)) {
    throw new UsageError(
      'There is no log yet: name one with --events. Without it, a run generates one first.',
    );
  }
  const { withDefinition } = await import('../../local/template/synthesize.ts');
  return withDefinition((definition) =>
    dryRunLocally({
      lake,
      definition,
      eventsLocation: fileUri(given ?? lake.generatedLog),
      request: withAddresses(requestOf(options, 'run')),
      onNote: (text) => void process.stderr.write(`${text}\n`),
    }),
  );
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
        request: withAddresses(requestOf(options, 'run')),
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
