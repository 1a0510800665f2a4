import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../setup/environment.mjs';

/** The command line as a script calls it, with no AWS account anywhere. */
function churn(...args: readonly string[]) {
  return execa(process.execPath, [join(projectRoot, 'bin/churn.ts'), ...args], {
    reject: false,
    extendEnv: false,
    env: { PATH: process.env.PATH ?? '', HOME: '/nowhere', AWS_EC2_METADATA_DISABLED: 'true' },
  });
}

describe('the command line', () => {
  it('tells of every command, and exits with 0 when it was asked to', async () => {
    const { exitCode, stdout } = await churn('--help');
    expect(exitCode).toBe(0);
    for (const command of ['run', 'generate', 'report', 'forget', 'start', 'watch', 'list', 'stop']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    }
  });

  it.concurrent.each([
    [['stop'], /missing required argument 'run'/],
    [['forget'], /missing required argument 'users'/],
    [['forget', ' '], /A user id is empty/],
    [['forget', '17', '--lake', 's3:/lake'], /must read s3:\/\/bucket/],
    [['list', '--stage', 'test'], /Allowed choices are dev, prod/],
    [['start', '--events', '/tmp'], /must be an address in S3.*churn run/],
    [['start', '--resume', 'run-1', '--force'], /leave out all options except --resume/],
  ])('exits with 2 when it is called wrongly: %j', async (args, words) => {
    const { exitCode, stdout, stderr } = await churn(...args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(words);
  });

  it.concurrent.each([
    [['list', '--json'], /No Region is chosen.*--region/],
    [['start', '--region', 'eu-central-1'], /no AWS credentials.*aws sso login/],
    [['report', '--stage', 'prod', '--region', 'eu-central-1'], /no AWS credentials/],
    [['watch', '--state-machine', 'churn-dev'], /is no ARN of a state machine/],
    [['forget', '17', '--lake', '/nowhere'], /There is no lake in \/nowhere/],
    [['forget', '17', '--lake', 's3://lake'], /No Region is chosen.*--region/],
    [['forget', '17', '--lake', 's3://lake', '--region', 'eu-central-1'], /no AWS credentials/],
  ])('exits with 1 and says what to do when it cannot: %j', async (args, words) => {
    const { exitCode, stdout, stderr } = await churn(...args);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});
