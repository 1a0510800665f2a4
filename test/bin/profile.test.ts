import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_LAKE, UsageError, wholeNumber } from '../../bin/commands/arguments.ts';
import { withOptionalPipeline } from '../../bin/commands/deployed/options.ts';
import { applyProfile, PROFILE_NAME, readProfile } from '../../bin/commands/profile.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'profile-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The options that a command gets. */
async function optionsOf(profile: Record<string, unknown>, ...typed: string[]) {
  let options = {};
  const ask = withOptionalPipeline(
    new Command('ask')
      .option('--lake <folder>', 'folder', DEFAULT_LAKE)
      .option('--seed <number>', 'seed', wholeNumber(0, 9), 1)
      .option('--force', 'force', false)
      .option('--print', 'print', false),
  ).action((given) => {
    options = given;
  });
  const program = new Command().addCommand(ask).exitOverride();
  await writeFile(join(folder, PROFILE_NAME), JSON.stringify(profile));
  const read = readProfile({ HOME: '/nowhere' }, folder);
  if (read !== undefined) applyProfile(program, read);
  await program.parseAsync(['ask', ...typed], { from: 'user' });
  return options;
}

describe('a profile', () => {
  it('gives defaults to options: the command line comes first, the help’s defaults last', async () => {
    expect(await optionsOf({ seed: 7, print: true })).toMatchObject({
      seed: 7,
      print: true,
      lake: DEFAULT_LAKE,
    });
    expect(await optionsOf({ seed: 7 }, '--seed', '3')).toMatchObject({ seed: 3 });
  });

  it('names places relative to itself', async () => {
    expect(await optionsOf({ lake: 'lakes/real' })).toMatchObject({ lake: join(folder, 'lakes/real') });
  });

  it('does not send a command to a deployment when a lake was typed, or the other way round', async () => {
    const local = await optionsOf({ stage: 'prod' }, '--lake', 'mine');
    expect(local).toMatchObject({ lake: 'mine', stage: undefined });
    expect(await optionsOf({ stage: 'prod' })).toMatchObject({ stage: 'prod' });
    expect(await optionsOf({ lake: 'x' }, '--stage', 'dev')).toMatchObject({
      stage: 'dev',
      lake: DEFAULT_LAKE,
    });
  });

  it.each([
    [{ leak: 'x' }, /leak: no command has such an option/],
    [{ seed: 99 }, /seed: It must be a whole number from 0 to 9/],
    [{ stage: 'test' }, /stage: Allowed choices are dev, prod/],
    [{ print: 'yes' }, /print: must be true or false/],
    [{ lake: true }, /lake: needs a value/],
    [{ force: true }, /force: belongs on the command line/],
    [{ lake: ['x'] }, /is not a JSON object of option names/],
  ])('says what is wrong with itself: %j', async (profile, words) => {
    const refused = optionsOf(profile);
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(PROFILE_NAME);
  });
});

describe('where it is', () => {
  it('is in this folder, else in the user’s, else in none', async () => {
    expect(readProfile({ HOME: folder }, folder)).toBeUndefined();
    const home = join(folder, '.config', 'churn');
    await mkdir(home, { recursive: true });
    await writeFile(join(home, PROFILE_NAME), '{"lake": "a"}');
    expect(readProfile({ HOME: folder }, folder)?.file).toBe(join(home, PROFILE_NAME));
    await writeFile(join(folder, PROFILE_NAME), '{"lake": "b"}');
    expect(readProfile({ HOME: folder }, folder)?.profile).toEqual({ lake: 'b' });
  });

  it('has to exist where CHURN_PROFILE names it', () => {
    expect(() => readProfile({ CHURN_PROFILE: 'other.json' }, folder)).toThrow(
      /There is no profile .*other\.json/,
    );
  });
});
