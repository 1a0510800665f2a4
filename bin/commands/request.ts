/** What a person may ask of a run, as options of a command. */
import type { Command } from 'commander';
import type { RunRequest } from '../../domain/run.ts';
import { isoDay, share, wholeNumber } from './arguments.ts';

export interface RequestOptions {
  readonly observationEnd?: string;
  readonly horizonDays?: number;
  readonly maxQuarantineShare?: number;
  readonly seed?: number;
  readonly force?: boolean;
  readonly resume?: string;
}

/** Adds the options of a request but for the place of the events, which differs from here to the cloud. */
export function withRequestOptions(command: Command): Command {
  return command
    .option(
      '--observation-end <day>',
      'day before whose start everything is known (default: found in the log)',
      isoDay,
    )
    .option('--horizon-days <number>', 'how far ahead cancellations are predicted', wholeNumber(1, 60))
    .option('--max-quarantine-share <share>', 'fail above this share of refused rows', share)
    .option('--seed <number>', 'seed of everything random', wholeNumber(0, 2_147_483_647))
    .option('--force', 'run even when there is no new file')
    .option('--resume <run id>', 'take up the plan of a run that failed; steps that succeeded are skipped');
}

/** The request: fields that were not asked for are left out. */
export function requestOf(options: RequestOptions): RunRequest {
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
