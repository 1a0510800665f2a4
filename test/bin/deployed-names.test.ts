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

describe('the names of a deployed run', () => {
  it('convert its id to its ARN and back, and to a console link', () => {
    expect(executionArnOf(MACHINE, 'run-1')).toBe(EXECUTION);
    expect(executionArnOf(MACHINE, EXECUTION)).toBe(EXECUTION);
    expect(runIdOf(EXECUTION)).toBe('run-1');
    expect(regionOf(MACHINE)).toBe('eu-central-1');
    expect(consoleLink(EXECUTION)).toContain('eu-central-1.console.aws.amazon.com');
    expect(consoleLink(EXECUTION)).toMatch(/:run-1$/);
  });

  it.each(['a b', '', 'arn:aws:states:eu-central-1:111122223333:execution:other:run-1'])(
    'refuse %j, which is not a run of this pipeline',
    (run) => expect(() => executionArnOf(MACHINE, run)).toThrow(DeployedError),
  );

  it.each(['churn-dev', EXECUTION, 'arn:aws:lambda:eu-central-1:111122223333:function:churn'])(
    'refuse %j, which is not the ARN of a state machine',
    (arn) => expect(() => regionOf(arn)).toThrow(/is not the ARN of a state machine/),
  );

  it('sort by time and are valid names of executions', () => {
    const ids = ['2026-11-23T07:00:00Z', '2026-11-23T07:00:01Z'].map((time) =>
      newRunId(new Date(time), 'ab12'),
    );
    expect(ids[0]).toBe('manual-20261123-070000-ab12');
    expect([...ids].sort()).toEqual(ids);
  });
});

describe('the request of `churn start`', () => {
  it('contains the fields that were given and nothing else', () => {
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

  it('cannot have other fields when a run is resumed', () => {
    expect(() => startRequest({ resume: 'run-1', force: true })).toThrow(
      /leave out all options except --resume/,
    );
  });
});

describe('the message for an error of AWS', () => {
  const named = (name: string, message = 'as AWS says'): Error => Object.assign(new Error(message), { name });

  it.each([
    ['CredentialsProviderError', /no AWS credentials.*aws sso login/],
    ['ExpiredTokenException', /have expired.*AWS_PROFILE/],
    ['AccessDeniedException', /do not have the permission: as AWS says/],
    ['AccessDenied', /do not have the permission: as AWS says/],
    ['NoSuchBucket', /no such bucket: as AWS says\. Name the LakeUri/],
    ['PermanentRedirect', /another Region.*--region/],
    ['InvalidAccessKeyId', /does not know these credentials/],
    ['StateMachineDoesNotExist', /no such pipeline.*--stage/],
    ['ExecutionDoesNotExist', /no such run.*churn list/],
  ])('says what to do about %s', (name, words) => {
    expect(withRemedy(named(name))).toBeInstanceOf(DeployedError);
    expect(withRemedy(named(name))).toHaveProperty('message', expect.stringMatching(words));
  });

  it('says what to do about a missing Region or an unreachable network', () => {
    expect(withRemedy(new Error('Region is missing'))).toHaveProperty(
      'message',
      expect.stringMatching(/--region/),
    );
    const unreachable = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    expect(withRemedy(unreachable)).toHaveProperty('message', expect.stringMatching(/cannot be reached/));
  });

  it('is unchanged for an unexpected error', () => {
    const error = named('InternalFailure');
    expect(withRemedy(error)).toBe(error);
  });
});
