/**
 * The profile: a file of defaults for the options of all commands. What is written on the command line comes first, then the
 * profile, then what the help says.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, type Option } from 'commander';
import { z } from 'zod';
import { UsageError } from './arguments.ts';

export const PROFILE_NAME = 'churn-profile.json';
/** Names another file. */
const VARIABLE = 'CHURN_PROFILE';

/** Options that name a place of this machine: in a profile they are relative to its folder. */
const PLACES: readonly string[] = ['lake', 'events', 'out'];
/** What one run is about is no default for all. */
const NEVER: readonly string[] = ['force', 'resume', 'takeOut', 'run', 'json'];

const value = z.union([z.string(), z.number(), z.boolean()]);
const profileSchema = z.record(z.string(), value);
export type Profile = Readonly<z.infer<typeof profileSchema>>;

export interface ReadProfile {
  readonly file: string;
  readonly profile: Profile;
}

/** For the end of the help. */
export const PROFILE_HELP = `\nDefaults of options are kept in ${PROFILE_NAME} (here, or in ~/.config/churn), such as {"lake": "lakes/real"}.\n`;

/**
 * The profile of this folder or, without one, that of the user.
 * @throws UsageError if it is no JSON object of texts, numbers and booleans, or the named one does not exist
 */
export function readProfile(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): ReadProfile | undefined {
  const named = environment[VARIABLE];
  const places =
    named === undefined || named === ''
      ? [join(folder, PROFILE_NAME), join(environment.HOME ?? homedir(), '.config', 'churn', PROFILE_NAME)]
      : [resolve(folder, named)];
  const file = places.find((place) => existsSync(place));
  if (file === undefined) {
    if (named === undefined || named === '') return undefined;
    throw new UsageError(`There is no profile ${places.join()}: correct or unset ${VARIABLE}.`);
  }
  const checked = profileSchema.safeParse(fromJson(readFileSync(file, 'utf8')));
  if (checked.success) return { file, profile: checked.data };
  throw new UsageError(
    `The profile ${file} is not a JSON object of option names with texts, numbers or booleans, such as {"lake": "lakes/real"}: correct or remove it.`,
  );
}

/**
 * Makes the values of a profile the defaults of the commands that have such an option.
 * @throws UsageError naming an option that no command has, or a value that it does not accept
 */
export function applyProfile(program: Command, { file, profile }: ReadProfile): void {
  const problem = (key: string, text: string): UsageError =>
    new UsageError(`The profile ${file} cannot be used: ${key}: ${text}. Correct or remove it.`);
  for (const [key, given] of Object.entries(profile)) {
    const name = camelCase(key);
    if (NEVER.includes(name)) throw problem(key, 'belongs on the command line, because it concerns one run');
    let isKnown = false;
    for (const command of program.commands) {
      const option = command.options.find((each) => each.attributeName() === name);
      if (option === undefined) continue;
      isKnown = true;
      try {
        command.setOptionValueWithSource(name, parsed(option, given, dirname(file)), 'config');
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        throw problem(key, error.message);
      }
    }
    if (!isKnown) throw problem(key, 'no command has such an option (churn <command> --help lists them)');
  }
  program.hook('preAction', (_, command) => preferWhatWasTyped(command));
}

/** A lake and a deployment exclude each other: the one on the command line counts, not the one of the profile. */
function preferWhatWasTyped(command: Command): void {
  for (const [typed, other] of [
    ['lake', 'stage'],
    ['stage', 'lake'],
  ] as const) {
    if (command.getOptionValueSource(typed) === 'cli' && command.getOptionValueSource(other) === 'config')
      command.setOptionValueWithSource(other, other === 'lake' ? '.churn' : undefined, 'default');
  }
}

function parsed(option: Option, given: z.infer<typeof value>, folder: string): unknown {
  if (option.isBoolean()) {
    if (typeof given === 'boolean') return given;
    throw new InvalidArgumentError('must be true or false');
  }
  if (typeof given === 'boolean') throw new InvalidArgumentError('needs a value, not true or false');
  const text = String(given);
  const place =
    PLACES.includes(option.attributeName()) && !/^[a-z0-9]+:/i.test(text) ? resolve(folder, text) : text;
  return option.parseArg === undefined ? place : option.parseArg(place, undefined);
}

function camelCase(key: string): string {
  return key.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
