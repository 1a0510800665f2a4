import { describe, expect, it } from 'vitest';
import { DeployedError, withRemedy } from '../../bin/commands/deployed/errors.ts';
import {
  consoleLink,
  executionArnOf,
  newRunId,
  regionOf,
  runIdOf,
} from '../../bin/commands/deployed/names.ts';
import { startRequest } from '../../bin/commands/deployed/start.ts';

const MACHINE = 'arn:aws:states:eu-central-1:111122223333:stateMachine:churn-dev';
const EXECUTION = 'arn:aws:states:eu-central-1:111122223333:execution:churn-dev:run-1';

describe('the names of a run', () => {
  it('lead from its id to its ARN and back, and to the console', () => {
    expect(executionArnOf(MACHINE, 'run-1')).toBe(EXECUTION);
    expect(executionArnOf(MACHINE, EXECUTION)).toBe(EXECUTION);
    expect(runIdOf(EXECUTION)).toBe('run-1');
    expect(regionOf(MACHINE)).toBe('eu-central-1');
    expect(consoleLink(EXECUTION)).toContain('eu-central-1.console.aws.amazon.com');
    expect(consoleLink(EXECUTION)).toMatch(/:run-1$/);
  });

  it.each(['a b', '', 'arn:aws:states:eu-central-1:111122223333:execution:other:run-1'])(
    'refuse %j, which is no run of this pipeline',
    (run) => expect(() => executionArnOf(MACHINE, run)).toThrow(DeployedError),
  );

  it.each(['churn-dev', EXECUTION, 'arn:aws:lambda:eu-central-1:111122223333:function:churn'])(
    'refuse %j as a state machine',
    (arn) => expect(() => regionOf(arn)).toThrow(/is no ARN of a state machine/),
  );

  it('are made so that they sort by time and may be names of executions', () => {
    const ids = ['2026-11-23T07:00:00Z', '2026-11-23T07:00:01Z'].map((time) =>
      newRunId(new Date(time), 'ab12'),
    );
    expect(ids[0]).toBe('manual-20261123-070000-ab12');
    expect([...ids].sort()).toEqual(ids);
  });
});

describe('the request of a start', () => {
  it('holds what was asked for and nothing else', () => {
    expect(startRequest({})).toEqual({});
    expect(
      startRequest({
        events: 's3://log/events',
        observationEnd: '2018-12-03',
        horizonDays: 7,
        seed: 0,
        force: true,
      }),
    ).toEqual({
      events: 's3://log/events',
      observationEnd: '2018-12-03',
      horizonDays: 7,
      seed: 0,
      force: true,
    });
    expect(startRequest({ resume: 'run-1' })).toEqual({ resume: 'run-1' });
  });

  it('is not another one when a run is resumed', () => {
    expect(() => startRequest({ resume: 'run-1', force: true })).toThrow(
      /leave out all options except --resume/,
    );
  });
});

describe('an error of AWS', () => {
  const named = (name: string, message = 'as AWS says'): Error => Object.assign(new Error(message), { name });

  it.each([
    ['CredentialsProviderError', /no AWS credentials.*aws sso login/],
    ['ExpiredTokenException', /have expired.*AWS_PROFILE/],
    ['AccessDeniedException', /may not do that: as AWS says/],
    ['AccessDenied', /may not do that: as AWS says/],
    ['NoSuchBucket', /no such bucket: as AWS says\. Name the LakeUri/],
    ['PermanentRedirect', /another Region.*--region/],
    ['InvalidAccessKeyId', /does not know these credentials/],
    ['StateMachineDoesNotExist', /no such pipeline.*--stage/],
    ['ExecutionDoesNotExist', /no such run.*churn list/],
  ])('%s says what to do', (name, words) => {
    expect(withRemedy(named(name))).toBeInstanceOf(DeployedError);
    expect(withRemedy(named(name))).toHaveProperty('message', expect.stringMatching(words));
  });

  it('about a Region or the network says what to do', () => {
    expect(withRemedy(new Error('Region is missing'))).toHaveProperty(
      'message',
      expect.stringMatching(/--region/),
    );
    const unreachable = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    expect(withRemedy(unreachable)).toHaveProperty('message', expect.stringMatching(/cannot be reached/));
  });

  it('that nobody expects stays as it is', () => {
    const error = named('InternalFailure');
    expect(withRemedy(error)).toBe(error);
  });
});
