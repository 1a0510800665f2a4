/** Checks the arguments on the command line. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { ISO_DATE } from '../../domain/time.ts';
import { UserError } from '../../domain/user-error.ts';

/** The command was called with invalid arguments. */
export class UsageError extends UserError {
  override readonly name = 'UsageError';
}

/** Default folder of a local lake. */
export const DEFAULT_LAKE = '.churn';

/** Parser for a whole number within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Parser for a share: 0.05 or 5%. */
export function share(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (!/^(\d+|\d*\.\d+)%?$/.test(text) || value > 1) {
    throw new InvalidArgumentError('It must be a share from 0 to 1, or from 0% to 100%.');
  }
  return value;
}

/** Parser for a location in S3. */
export function s3Location(text: string): string {
  if (!/^s3:\/\/[a-z0-9][a-z0-9.-]+\/?/.test(text)) {
    throw new InvalidArgumentError(
      'It must be an address in S3: s3://bucket/folder. For a log on this machine: churn run.',
    );
  }
  return text;
}

/** Parser for a UTC day. */
export function isoDay(text: string): string {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (!ISO_DATE.test(text) || Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text) {
    throw new InvalidArgumentError('It must be an existing day, written YYYY-MM-DD.');
  }
  return text;
}

/**
 * The absolute location of an event log.
 * @throws UsageError if nothing is there, or if it contains the lake
 */
export function eventsLocation(text: string, lakeFolder: string): string {
  if (/^[a-z][a-z0-9]*:\/\//i.test(text) && !text.startsWith('file://')) {
    throw new UsageError(
      `A local run reads files of this machine, not ${text}: copy them first (aws s3 sync <location> <folder>) and name ` +
        'the folder, or start the deployed pipeline (churn start).',
    );
  }
  const location = resolve(text);
  const isGlob = !existsSync(location) && /[*?[\]{}]/.test(text);
  if (!existsSync(location) && !isGlob) {
    throw new UsageError(`There is no file or folder ${location}: name the event log with --events.`);
  }
  const lake = resolve(lakeFolder);
  const hidden = lake
    .slice(location.length)
    .split('/')
    .some((name) => /^[._]/.test(name));
  if (!isGlob && statSync(location).isDirectory() && `${lake}/`.startsWith(`${location}/`) && !hidden) {
    throw new UsageError(
      `The lake ${lake} is inside the event log ${location} and would be read as part of it: ` +
        'name another folder with --lake.',
    );
  }
  return location;
}
