import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeployedPipeline, findStateMachine } from '../../bin/commands/deployed/deployed-pipeline.ts';
import { follow } from '../../bin/commands/deployed/follow.ts';
import { latestReportLink } from '../../bin/commands/deployed/report-link.ts';
import { latestRun } from '../../bin/commands/deployed/watch.ts';
import { LineDisplay } from '../../bin/terminal/line-display.ts';

const MACHINE = 'arn:aws:states:eu-central-1:111122223333:stateMachine:churn-dev';
const arn = (runId: string): string =>
  `arn:aws:states:eu-central-1:111122223333:execution:churn-dev:${runId}`;
const startDate = new Date('2026-11-23T07:00:00Z');

const client = new SFNClient({ region: 'eu-central-1' });
const mock = mockClient(client);
const pipeline = new DeployedPipeline(client, MACHINE);
const listed = (runId: string) => ({
  executionArn: arn(runId),
  stateMachineArn: MACHINE,
  name: runId,
  status: 'SUCCEEDED' as const,
  startDate,
});

beforeEach(() => mock.reset());

describe('finding a deployed pipeline', () => {
  const machine = (name: string) => ({
    stateMachineArn: `arn:aws:states:eu-central-1:111122223333:stateMachine:${name}`,
    name,
    type: 'STANDARD' as const,
    creationDate: startDate,
  });

  it('looks for its exact name on every page', async () => {
    mock
      .on(ListStateMachinesCommand)
      .resolvesOnce({ stateMachines: [machine('churn-dev-old'), machine('churn-prod')], nextToken: 'more' })
      .resolves({ stateMachines: [machine('churn-dev')] });
    expect(await findStateMachine(client, 'churn-dev')).toBe(MACHINE);
  });

  it('says what to do if there is none', async () => {
    mock.on(ListStateMachinesCommand).resolves({ stateMachines: [machine('churn-prod')] });
    await expect(findStateMachine(client, 'churn-dev')).rejects.toThrow(
      /no pipeline churn-dev in eu-central-1.*--stage.*AWS_PROFILE.*deploy/,
    );
  });
});

describe('a deployed pipeline', () => {
  it('starts a run with its id and its request', async () => {
    mock.on(StartExecutionCommand).resolves({ executionArn: arn('run-1'), startDate });
    expect(await pipeline.start('run-1', { force: true })).toBe(arn('run-1'));
    expect(mock.commandCalls(StartExecutionCommand)[0]?.args[0].input).toEqual({
      stateMachineArn: MACHINE,
      name: 'run-1',
      input: '{"force":true}',
    });
  });

  it('knows the database of its tables from the query of ReconcileLake, and says when there is none', async () => {
    const definition = (parameters: object) =>
      JSON.stringify({
        States: { Use: { Branches: [{ States: { ReconcileLake: { Parameters: parameters } } }] } },
      });
    const describe = {
      stateMachineArn: MACHINE,
      name: 'churn-dev',
      roleArn: 'r',
      type: 'STANDARD' as const,
      creationDate: startDate,
    };
    mock.on(DescribeStateMachineCommand).resolves({
      ...describe,
      definition: definition({ QueryExecutionContext: { Database: 'churn_dev_0a1b2c3d' } }),
    });
    expect(await pipeline.database()).toBe('churn_dev_0a1b2c3d');
    mock.on(DescribeStateMachineCommand).resolves({ ...describe, definition: definition({}) });
    await expect(pipeline.database()).rejects.toThrow(/names no database/);
  });

  it('says what to do when a run cannot be started', async () => {
    const gone = new StateMachineDoesNotExist({ message: 'State Machine Does Not Exist', $metadata: {} });
    mock.on(StartExecutionCommand).rejects(gone);
    await expect(pipeline.start('run-1', {})).rejects.toThrow(/There is no such pipeline.*--state-machine/);
  });

  it('stops a run and records the command as the cause', async () => {
    mock.on(StopExecutionCommand).resolves({ stopDate: startDate });
    await pipeline.stop(arn('run-1'));
    expect(mock.commandCalls(StopExecutionCommand)[0]?.args[0].input).toMatchObject({
      executionArn: arn('run-1'),
      cause: expect.stringContaining('churn stop'),
    });
  });

  it('lists no more runs than requested, across pages', async () => {
    mock
      .on(ListExecutionsCommand)
      .resolvesOnce({ executions: [listed('c'), listed('b')], nextToken: 'more' })
      .resolvesOnce({ executions: [listed('a')], nextToken: 'more' })
      .rejects(new Error('asked for too much'));
    expect(await pipeline.latest(3)).toEqual([arn('c'), arn('b'), arn('a')]);
  });

  it('chooses the run in progress, or else the latest, or says that there is none', async () => {
    mock.on(ListExecutionsCommand).resolves({ executions: [listed('latest')] });
    expect(await latestRun(pipeline)).toBe(arn('latest'));
    mock
      .on(ListExecutionsCommand, { statusFilter: 'RUNNING' })
      .resolves({ executions: [{ ...listed('running'), status: 'RUNNING' }] });
    expect(await latestRun(pipeline)).toBe(arn('running'));
    mock.reset();
    mock.on(ListExecutionsCommand).resolves({ executions: [] });
    await expect(latestRun(pipeline)).rejects.toThrow(/no run yet.*churn start/);
  });
});

describe('following a deployed run', () => {
  const task = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true };
  const events = [
    { id: 1, previousEventId: 0, type: 'ExecutionStarted' as const, timestamp: startDate },
    {
      id: 2,
      previousEventId: 0,
      type: 'TaskStateEntered' as const,
      timestamp: startDate,
      stateEnteredEventDetails: { name: 'PlanRun' },
    },
    {
      id: 3,
      previousEventId: 2,
      type: 'TaskStateExited' as const,
      timestamp: new Date('2026-11-23T07:00:04Z'),
      stateExitedEventDetails: { name: 'PlanRun' },
    },
  ];

  beforeEach(() => {
    mock
      .on(DescribeStateMachineForExecutionCommand)
      .resolves({ definition: JSON.stringify({ StartAt: 'PlanRun', States: { PlanRun: task } }) });
  });

  function following(signal = new AbortController().signal) {
    let text = '';
    const write = (more: string): void => {
      text += more;
    };
    const waits: number[] = [];
    const wait = async (milliseconds: number): Promise<void> => {
      waits.push(milliseconds);
    };
    const outcome = follow({
      pipeline,
      executionArn: arn('run-1'),
      displayOf: () => new LineDisplay({ write }),
      signal,
      wait,
    });
    return { outcome, waits, text: () => text };
  }

  it('shows its states as they start and end, across pages of its history, until it has ended', async () => {
    mock.on(DescribeExecutionCommand).resolvesOnce({ status: 'RUNNING', startDate }).resolves({
      status: 'FAILED',
      startDate,
      stopDate: startDate,
      error: 'Refused',
      cause: 'run run-0 lives',
    });
    mock
      .on(GetExecutionHistoryCommand)
      .resolvesOnce({ events: events.slice(0, 2) })
      .resolvesOnce({ events: events.slice(0, 2), nextToken: 'more' })
      .resolves({ events: events.slice(2) });
    const { outcome, waits, text } = following();
    expect(await outcome).toMatchObject({
      status: 'REFUSED',
      states: [{ name: 'PlanRun', seconds: 4, status: 'SUCCEEDED' }],
    });
    expect(waits).toHaveLength(1);
    expect(text().replaceAll(/^\d\d:\d\d:\d\d /gm, '')).toBe(
      'run run-1\nPlanRun started\nPlanRun done in 4.0 s\n',
    );
  });

  it('can be stopped while the run continues', async () => {
    mock.on(DescribeExecutionCommand).resolves({ status: 'RUNNING', startDate });
    mock.on(GetExecutionHistoryCommand).resolves({ events: events.slice(0, 2) });
    expect(await following(AbortSignal.abort()).outcome).toMatchObject({ status: 'RUNNING' });
  });
});

describe('the report of a deployed pipeline', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'example');
  });
  afterEach(() => vi.unstubAllEnvs());

  const described = (output: unknown) => ({
    status: 'SUCCEEDED' as const,
    startDate,
    output: JSON.stringify(output),
  });

  it('is that of the last run that created one, signed with the reader’s own credentials', async () => {
    mock.on(ListExecutionsCommand).resolves({ executions: [listed('idle'), listed('run-1')] });
    mock
      .on(DescribeExecutionCommand, { executionArn: arn('idle') })
      .resolves(described({ plan: { reason: 'no' } }));
    mock
      .on(DescribeExecutionCommand, { executionArn: arn('run-1') })
      .resolves(described({ report: { reportUri: 's3://lake/reports/run-1.html' } }));
    const { runId, link } = await latestReportLink(pipeline);
    expect(runId).toBe('run-1');
    const url = new URL(link);
    expect(url.host).toBe('lake.s3.eu-central-1.amazonaws.com');
    expect(url.pathname).toBe('/reports/run-1.html');
    expect(url.searchParams.get('X-Amz-Credential')).toMatch(/^AKIAIOSFODNN7EXAMPLE\//);
    expect(url.searchParams.get('X-Amz-Expires')).toBe('3600');
  });

  it('is missing as long as no run has succeeded', async () => {
    mock.on(ListExecutionsCommand).resolves({ executions: [] });
    await expect(latestReportLink(pipeline)).rejects.toThrow(/no report yet/);
  });
});
