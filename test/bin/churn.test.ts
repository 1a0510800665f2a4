import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { examplesText } from '../../bin/commands/examples.ts';
import { FORGOTTEN_USERS, REPORT } from '../../domain/lake-objects.ts';
import { openLake } from '../../local/run/lake-folder.ts';
import { projectRoot } from '../../setup/environment.mjs';

/** Runs the command line as a script would, without AWS credentials. */
function churn(...args: readonly string[]) {
  return churnAfter([], ...args);
}

/** @param nodeOptions of the process that runs it */
function churnAfter(nodeOptions: readonly string[], ...args: readonly string[]) {
  return execa(process.execPath, [...nodeOptions, join(projectRoot, 'bin/churn.ts'), ...args], {
    reject: false,
    extendEnv: false,
    env: { PATH: process.env.PATH ?? '', HOME: '/nowhere', AWS_EC2_METADATA_DISABLED: 'true' },
  });
}

describe('the command line', () => {
  it('lists every command in its help, and exits with 0', async () => {
    const { exitCode, stdout } = await churn('--help');
    expect(exitCode).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+)\b/gm)].flatMap(([, name]) => name ?? []);
    expect(commands).toEqual(expect.arrayContaining(['run', 'start', 'report', 'explore', 'score', 'query']));
    for (const command of commands.filter((name) => name !== 'help'))
      expect(examplesText(command), command).toContain(`$ churn ${command}`);
  });

  it('can print JSON with every command, and works on a lake or on a deployment', async () => {
    const { stdout } = await churn('completion', 'bash');
    const options = new Map(
      [...stdout.matchAll(/^ {4}([a-z]+)\) words="([^"]*)"/gm)].map(([, name = '', words = '']) => [
        name,
        words.split(' '),
      ]),
    );
    const lacking = (wanted: readonly string[], others: readonly string[]) =>
      [...options].flatMap(([name, words]) =>
        others.includes(name) || wanted.some((option) => words.includes(option)) ? [] : [name],
      );
    expect(options.size).toBeGreaterThan(15);
    expect(lacking(['--json'], ['completion'])).toEqual([]);
    expect(lacking(['--lake', '--stage'], ['completion', 'generate'])).toEqual([]);
    // These run on one machine, or in the cloud only.
    const here = ['run', 'generate', 'backtest', 'completion'];
    expect(lacking(['--stage'], here)).toEqual([]);
    expect(lacking(['--lake'], ['start', 'watch', 'list', 'stop', 'generate', 'completion'])).toEqual([]);
  });

  it('opens a report where it says who leaves, or says that there is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'churn-'));
    try {
      await openLake(folder);
      expect((await churn('explore', '--lake', folder)).stderr).toMatch(/no run has succeeded/);
      await mkdir(join(folder, REPORT.folder));
      await writeFile(join(folder, REPORT.of('run-1').key), '<!doctype html>');
      const { stdout } = await churn('explore', '--lake', folder);
      expect(stdout).toMatch(/^file:\/\/.*\/reports\/run-1\.html#who-leaves$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.concurrent.each([
    [['stop'], /missing required argument 'run'/],
    [['forget'], /missing required argument 'users'/],
    [['forget', ' '], /A user id is empty/],
    [['forget', '17', '--lake', 's3:/lake'], /must be s3:\/\/bucket/],
    [['report', '--all', '--run', 'run-1'], /Name either --run or --all/],
    [['query', 'no-such-query'], /There is no saved query no-such-query: churn query --list/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    [['list', '--stage', 'test'], /Allowed choices are dev, prod/],
    [['start', '--events', '/tmp'], /must be an address in S3.*churn run/],
    [['start', '--resume', 'run-1', '--force'], /leave out all options except --resume/],
    [['models', '--yes'], /name it with --verify/],
    [['models', '--verify', 'run-1', '--trained-again', 'run-2'], /name the deployment, too \(--stage\)/],
  ])('exits with 2 when it is called with invalid arguments: %j', async (args, words) => {
    const { exitCode, stdout, stderr } = await churn(...args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(words);
  });

  it.concurrent.each([
    [['list', '--json'], /No Region is set.*--region/],
    [['start', '--region', 'eu-central-1'], /no AWS credentials.*aws sso login/],
    [['report', '--stage', 'prod', '--region', 'eu-central-1'], /no AWS credentials/],
    [['doctor', '--stage', 'dev', '--region', 'eu-central-1'], /no AWS credentials/],
    [['watch', '--state-machine', 'churn-dev'], /is not the ARN of a state machine/],
    [['forget', '17', '--stage', 'prod', '--region', 'eu-central-1'], /no AWS credentials/],
    [['forget', '17', '--lake', '/nowhere'], /There is no lake in \/nowhere/],
    [['forget', '17', '--lake', 's3://lake'], /No Region is set.*--region/],
    [['forget', '17', '--lake', 's3://lake', '--region', 'eu-central-1'], /no AWS credentials/],
  ])('exits with 1 and says what to do when the command fails: %j', async (args, words) => {
    const { exitCode, stdout, stderr } = await churn(...args);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('says what is wrong with a damaged object of the lake, and what to do, without a stack', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'churn-'));
    try {
      await openLake(folder);
      await writeFile(join(folder, FORGOTTEN_USERS.key), '{"salt": 17}');
      const { exitCode, stdout, stderr } = await churn('forget', '17', '--lake', folder);
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(
        /^The list of forgotten users at file:.*forgotten-users\.json is not what it should be/,
      );
      expect(stderr).toMatch(/Restore the last version that was whole\.$/);
      expect(stderr).not.toMatch(/^ +at .*\.ts/m);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each(['RangeError', 'SyntaxError'])(
    'shows where a bug of its own is: a %s comes with its stack',
    async (errorName) => {
      const bug = `Date.prototype.toISOString = () => { throw new ${errorName}('the clock is broken'); };`;
      const { exitCode, stdout, stderr } = await churnAfter(
        ['--import', `data:text/javascript,${encodeURIComponent(bug)}`],
        ...['start', '--state-machine', 'arn:aws:states:eu-central-1:111122223333:stateMachine:churn-dev'],
      );
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`${errorName}: the clock is broken`);
      expect(stderr).toMatch(/^ +at newRunId .*names\.ts/m);
    },
  );
});
