import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, test } from 'vitest';
import { ConfigurationError, LOG_RETENTION_DAYS, readConfiguration } from '../../lib/configuration.ts';

const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:oncall';

function problemOf(context: Record<string, unknown>): string {
  try {
    readConfiguration(context);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('defaults', () => {
  test('of dev: no schedule, logs for a month, data kept', () => {
    expect(readConfiguration({})).toMatchObject({
      prefix: 'churn-dev',
      scheduleEnabled: false,
      logRetentionDays: 30,
      deleteData: false,
      run: { horizonDays: 14, budgetUsd: 50 },
    });
  });

  test('of prod: on schedule, logs for a year', () => {
    expect(
      readConfiguration({ 'churn:stage': 'prod', 'churn:alarmEmail': 'oncall@example.com' }),
    ).toMatchObject({
      prefix: 'churn-prod',
      scheduleEnabled: true,
      logRetentionDays: 365,
      deleteData: false,
    });
  });
});

test('values given as text are read as what they mean', () => {
  const configuration = readConfiguration({
    'churn:scheduleEnabled': 'true',
    'churn:idleMinutes': '45',
    'churn:taskInstanceTypes': 'm7g.xlarge, r7g.xlarge',
    'churn:run': '{"horizonDays": 21, "budgetUsd": 12.5}',
    '@aws-cdk/core:something': 'not ours',
  });
  expect(configuration).toMatchObject({
    scheduleEnabled: true,
    idleMinutes: 45,
    taskInstanceTypes: ['m7g.xlarge', 'r7g.xlarge'],
    run: { horizonDays: 21, budgetUsd: 12.5, seed: 20_181_001 },
  });
});

describe('a configuration that cannot be deployed is refused with the key: ', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown key', { 'churn:budget': '5' }, /churn:budget: no such key/],
    ['an unknown stage', { 'churn:stage': 'test' }, /churn:stage: /],
    ['an invalid name', { 'churn:name': 'Churn!' }, /churn:name: must be 2 to 20/],
    ['a budget of 0', { 'churn:run': '{"budgetUsd": 0}' }, /churn:run\.budgetUsd: /],
    ['an unknown run setting', { 'churn:run': '{"horizon": 7}' }, /churn:run\.horizon: no such key/],
    ['run settings that are not JSON', { 'churn:run': 'horizonDays=7' }, /churn:run: /],
    ['an invalid Region', { 'churn:region': 'Frankfurt' }, /churn:region: must be a Region/],
    ['an invalid account', { 'churn:account': '42' }, /churn:account: must be 12 digits/],
    [
      'an Intel instance',
      { 'churn:coreInstanceTypes': 'm5.xlarge' },
      /churn:coreInstanceTypes: m5\.xlarge is not a Graviton/,
    ],
    [
      'another size',
      { 'churn:taskInstanceTypes': 'm7g.large' },
      /churn:taskInstanceTypes: m7g\.large is not one unit/,
    ],
    ['a family without a price', { 'churn:taskInstanceTypes': 'x2gd.xlarge' }, /x2gd\.xlarge has no price/],
    ['no instance type', { 'churn:coreInstanceTypes': [] }, /churn:coreInstanceTypes: /],
    [
      'a bucket by its URI',
      { 'churn:rawBucket': 's3://events' },
      /churn:rawBucket: must be the name of a bucket/,
    ],
    [
      'a key without its bucket',
      { 'churn:rawBucketKeyArn': 'arn:aws:kms:eu-central-1:111122223333:key/x' },
      /churn:rawBucketKeyArn: can be set only together with rawBucket/,
    ],
    [
      'a VPC without subnets',
      { 'churn:vpcId': 'vpc-0123abcd' },
      /churn:subnetIds: vpcId and subnetIds must be given together/,
    ],
    [
      'certificates that are not a zip',
      { 'churn:certificatesUri': 's3://bucket/cert.pem' },
      /churn:certificatesUri: must be s3:/,
    ],
    [
      'an invalid time zone',
      { 'churn:scheduleTimeZone': 'Berlin' },
      /churn:scheduleTimeZone: must be a time zone/,
    ],
    [
      'a relative path to the runbooks',
      { 'churn:runbookRoot': 'docs/runbooks' },
      /churn:runbookRoot: must be the URL of docs\/runbooks/,
    ],
    [
      'a URL of the runbooks with a slash at the end',
      { 'churn:runbookRoot': 'https://git.example.com/runbooks/' },
      /churn:runbookRoot: must be the URL/,
    ],
    [
      'prod without anyone who is notified',
      { 'churn:stage': 'prod' },
      /churn:alarmEmail: prod needs somebody/,
    ],
    [
      'the name of a topic without its ARN',
      { 'churn:alarmTopicArn': 'oncall' },
      /churn:alarmTopicArn: must be the ARN of a standard SNS topic/,
    ],
    [
      'a FIFO topic, which alarms cannot reach',
      { 'churn:alarmTopicArn': `${TOPIC}.fifo` },
      /churn:alarmTopicArn: must be the ARN of a standard SNS topic/,
    ],
    [
      'a topic in another Region',
      { 'churn:alarmTopicArn': TOPIC, 'churn:region': 'eu-west-1' },
      /churn:alarmTopicArn: is in eu-central-1: alarms reach only topics in eu-west-1/,
    ],
    [
      'an address beside a topic',
      { 'churn:alarmTopicArn': TOPIC, 'churn:alarmEmail': 'oncall@example.com' },
      /churn:alarmEmail: cannot be set together with alarmTopicArn/,
    ],
    [
      "a topic's key without the topic",
      { 'churn:alarmTopicKeyArn': 'arn:aws:kms:eu-central-1:111122223333:key/x' },
      /churn:alarmTopicKeyArn: can be set only together with alarmTopicArn/,
    ],
    ['an invalid address', { 'churn:alarmEmail': 'me' }, /churn:alarmEmail: /],
    [
      'an idle time shorter than the polling of a step',
      { 'churn:idleMinutes': '9' },
      /churn:idleMinutes: .*>=10/,
    ],
    [
      'a retention that CloudWatch Logs does not know',
      { 'churn:logRetentionDays': '100' },
      /churn:logRetentionDays: must be one of 1, 3, 5, .*3653/,
    ],
    [
      'only one confirmation of deleting data',
      { 'churn:deleteData': 'true' },
      /churn:confirmDeleteData: must be "churn-dev" too/,
    ],
    [
      'a confirmation for another deployment',
      { 'churn:deleteData': true, 'churn:confirmDeleteData': 'churn-prod' },
      /churn:confirmDeleteData: must be "churn-dev" too/,
    ],
  ])('%s', (_, context, message) => {
    expect(problemOf(context)).toMatch(message);
  });

  test('all at once', () => {
    const problem = problemOf({ 'churn:stage': 'x', 'churn:idleMinutes': 'soon', 'churn:nonsense': 1 });
    expect(problem).toMatch(/churn:stage/);
    expect(problem).toMatch(/churn:idleMinutes/);
    expect(problem).toMatch(/churn:nonsense/);
  });
});

test('logs are kept for as long as CloudWatch Logs can keep them, but not for ever', () => {
  const known = Object.values(RetentionDays).filter((value) => typeof value === 'number');
  expect([...LOG_RETENTION_DAYS, RetentionDays.INFINITE]).toEqual(known);
  for (const days of LOG_RETENTION_DAYS) {
    expect(readConfiguration({ 'churn:logRetentionDays': String(days) }).logRetentionDays).toBe(days);
  }
});

test('prod is content with an existing topic', () => {
  expect(readConfiguration({ 'churn:stage': 'prod', 'churn:alarmTopicArn': TOPIC })).toMatchObject({
    stage: 'prod',
    alarmTopicArn: TOPIC,
  });
});

describe('schedules', () => {
  test.each([
    'cron(0 3 ? * MON *)',
    'cron(*/30 8-18 ? * MON-FRI *)',
    'cron(15 4 1,15 * ? *)',
    'cron(0 6 L * ? 2026-2030)',
    'cron(0 12 ? JAN,JUL 2#1 *)',
    'cron(0 12 5W,L * ? *)',
    'cron(0 22-23,0-2 ? * FRI-SAT,SUN *)',
    'rate(7 days)',
    'rate(1 hour)',
  ])('%s is accepted', (expression) => {
    expect(readConfiguration({ 'churn:scheduleExpression': expression }).scheduleExpression).toBe(expression);
  });

  test.each([
    ['0 3 * * 1', /must be cron\(/],
    ['cron(0 3 * * 1)', /has 6 fields, this one 5/],
    ['cron(0 25 ? * MON *)', /"25" is not a value for hours/],
    ['cron(60 3 ? * MON *)', /"60" is not a value for minutes/],
    ['cron(0 3 ? * MOON *)', /"MOON" is not a value for day of week/],
    ['cron(0 3 * * MON *)', /exactly one of day of month and day of week must be "\?"/],
    ['cron(0 3 ? * ? *)', /exactly one of/],
    ['cron(0 3 ?,15 * ? *)', /"\?" cannot be part of a list in day of month/],
    ['cron(0 3 15 * MON,? *)', /"\?" cannot be part of a list in day of week/],
    ['cron(0 3 ? * 3#1,6#3 *)', /"3#1" cannot be part of a list in day of week/],
    ['cron(30-5 3 ? * MON *)', /"30-5" runs backwards in minutes: write two ranges/],
    ['cron(0 3 ? NOV-FEB MON *)', /"NOV-FEB" runs backwards in month/],
    ['cron(0 22-2/2 ? * MON *)', /"22-2" runs backwards in hours/],
    ['cron(0 3 45W * ? *)', /"45W" is not a value for day of month/],
    ['rate(0 days)', /a rate is a number/],
    ['rate(7 fortnights)', /a rate is a number/],
  ])('%s is refused', (expression, message) => {
    const problem = problemOf({ 'churn:scheduleExpression': expression });
    expect(problem).toMatch(message);
    expect(problem).toContain('churn:scheduleExpression: ');
  });
});
