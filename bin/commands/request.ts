/** The fields of a run request, as options of a command. */
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

/** Adds the options of a request except the location of the events, which differs between local and deployed runs. */
export function withRequestOptions(command: Command): Command {
  return command
    .option(
      '--observation-end <day>',
      'scoring cutoff: midnight (UTC) at the start of this day (default: the end of the log)',
      isoDay,
    )
    .option('--horizon-days <number>', 'how far ahead cancellations are predicted', wholeNumber(1, 60))
    .option('--max-quarantine-share <share>', 'fail above this share of refused rows', share)
    .option('--seed <number>', 'seed of all random numbers', wholeNumber(0, 2_147_483_647))
    .option('--force', 'run even if there are no new files')
    .option('--resume <run id>', 'resume a run that failed; steps that succeeded are skipped');
}

/** The request, without the fields that were not given. */
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
