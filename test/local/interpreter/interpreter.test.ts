import { describe, expect, it } from 'vitest';
import { UnsupportedDefinitionError } from '../../../local/interpreter/check.ts';
import {
  type ExecutionOptions,
  type StateEvent,
  startExecution,
} from '../../../local/interpreter/interpreter.ts';
import { TaskError, type TaskHandlers, taskFailed } from '../../../local/interpreter/task.ts';
import type { Json } from '../../../local/template/intrinsics.ts';

const ARN = 'arn:aws:states:us-east-1:123456789012:execution:churn:run-1';

const task = (resource: string, rest: Record<string, Json>): Json => ({
  Type: 'Task',
  Resource: `arn:aws:states:::${resource}`,
  TimeoutSeconds: 5,
  ...rest,
});

const definition = (states: Record<string, Json>, rest: Record<string, Json> = {}): Json => ({
  StartAt: Object.keys(states)[0] ?? '',
  States: states,
  ...rest,
});

function options(
  states: Record<string, Json>,
  handlers: TaskHandlers,
  rest: Record<string, Json> = {},
): ExecutionOptions & { readonly events: StateEvent[] } {
  const events: StateEvent[] = [];
  return {
    definition: definition(states, rest),
    input: { horizon: 14 },
    handlers,
    execution: { arn: ARN, name: 'run-1' },
    stateMachine: { arn: 'arn:aws:states:us-east-1:123456789012:stateMachine:churn', name: 'churn' },
    onEvent: (event) => events.push(event),
    events,
  };
}

/** Runs until it is asked to stop, as a Spark process would, and takes a moment to stop. */
function stubborn(log: string[]): TaskHandlers[string] {
  return (_parameters, { signal, stateName }) =>
    new Promise((_resolve, reject) => {
      log.push(`${stateName} started`);
      signal.addEventListener('abort', () =>
        setTimeout(() => {
          log.push(`${stateName} stopped`);
          reject(taskFailed({ Step: { Status: { State: 'CANCELLED' } } }));
        }, 50),
      );
    });
}

describe('the interpreter of state machines', () => {
  it('passes the execution context and the result of one state to the next', async () => {
    const seen: Json[] = [];
    const run = options(
      {
        PlanRun: task('lambda:invoke', {
          Parameters: {
            'runId.$': '$$.Execution.Name',
            'arn.$': '$$.Execution.Id',
            'horizon.$': '$.horizon',
          },
          ResultPath: '$.plan',
          Next: 'Notify',
        }),
        Notify: task('sns:publish', { Parameters: { 'Message.$': '$.plan.uri' }, End: true }),
      },
      {
        'lambda:invoke': async (parameters) => {
          seen.push(parameters);
          return { uri: 'file:///plan.json' };
        },
        'sns:publish': async (parameters) => {
          seen.push(parameters);
          return { MessageId: '1' };
        },
      },
    );
    expect(await startExecution(run).ended).toEqual({ status: 'SUCCEEDED', output: { MessageId: '1' } });
    expect(seen).toEqual([{ runId: 'run-1', arn: ARN, horizon: 14 }, { Message: 'file:///plan.json' }]);
    expect(run.events.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'entered PlanRun',
      'exited PlanRun',
      'entered Notify',
      'exited Notify',
    ]);
  });

  it('catches a failure in a branch with the error and cause of the service', async () => {
    const caught: Json[] = [];
    const run = options(
      {
        UseCluster: {
          Type: 'Parallel',
          Branches: [definition({ IngestEvents: task('elasticmapreduce:addStep.sync', { End: true }) })],
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'CloseRun' }],
          End: true,
        },
        CloseRun: task('lambda:invoke', { ResultPath: null, Next: 'Failed' }),
        Failed: { Type: 'Fail', Error: 'RunFailed', Cause: 'see the run record' },
      },
      {
        'elasticmapreduce:addStep.sync': async () => {
          throw taskFailed({ Step: { Status: { State: 'FAILED' } } });
        },
        'lambda:invoke': async (parameters) => {
          caught.push(parameters);
          return {};
        },
      },
    );
    expect(await startExecution(run).ended).toEqual({
      status: 'FAILED',
      error: 'RunFailed',
      cause: 'see the run record',
    });
    expect(caught).toEqual([
      {
        horizon: 14,
        failure: { Error: 'States.TaskFailed', Cause: '{"Step":{"Status":{"State":"FAILED"}}}' },
      },
    ]);
  });

  it('stops the handler of a state that timed out, and continues at its Catch', async () => {
    const log: string[] = [];
    const run = options(
      {
        IngestEvents: task('elasticmapreduce:addStep.sync', {
          TimeoutSeconds: 1,
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'CloseRun' }],
          End: true,
        }),
        CloseRun: task('lambda:invoke', { End: true }),
      },
      { 'elasticmapreduce:addStep.sync': stubborn(log), 'lambda:invoke': async () => 'closed' },
    );
    expect(await startExecution(run).ended).toEqual({ status: 'SUCCEEDED', output: 'closed' });
    expect(log).toEqual(['IngestEvents started', 'IngestEvents stopped']);
  });

  it('ends as TIMED_OUT, ignoring every Catch, when the execution takes too long, and leaves no handler running', async () => {
    const log: string[] = [];
    const run = options(
      {
        UseCluster: {
          Type: 'Parallel',
          Branches: [definition({ TrainModels: task('elasticmapreduce:addStep.sync', { End: true }) })],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'CloseRun' }],
          End: true,
        },
        CloseRun: task('lambda:invoke', { End: true }),
      },
      {
        'elasticmapreduce:addStep.sync': stubborn(log),
        'lambda:invoke': async () => {
          log.push('closed by the Catch');
          return {};
        },
      },
      { TimeoutSeconds: 1 },
    );
    expect((await startExecution(run).ended).status).toBe('TIMED_OUT');
    expect(log).toEqual(['TrainModels started', 'TrainModels stopped']);
  });

  it('ends as ABORTED once its handlers have stopped, and starts no retry afterwards', async () => {
    const log: string[] = [];
    const run = options(
      {
        ScoreUsers: task('elasticmapreduce:addStep.sync', {
          Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 1, MaxAttempts: 3 }],
          End: true,
        }),
      },
      { 'elasticmapreduce:addStep.sync': stubborn(log) },
    );
    const execution = startExecution(run);
    await expect.poll(() => log).toEqual(['ScoreUsers started']);
    execution.abort();
    expect((await execution.ended).status).toBe('ABORTED');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(log).toEqual(['ScoreUsers started', 'ScoreUsers stopped']);
  });

  it('retries what the definition retries', async () => {
    let attempts = 0;
    const run = options(
      {
        StoreMetrics: task('lambda:invoke', {
          Retry: [{ ErrorEquals: ['Lambda.TooManyRequestsException'], IntervalSeconds: 60, MaxAttempts: 2 }],
          End: true,
        }),
      },
      {
        'lambda:invoke': async () => {
          attempts += 1;
          if (attempts === 1) throw new TaskError('Lambda.TooManyRequestsException', 'slow down');
          return attempts;
        },
      },
    );
    expect(await startExecution(run).ended).toEqual({ status: 'SUCCEEDED', output: 2 });
  });

  it('refuses a payload larger than a state may pass on', async () => {
    const run = options(
      { PlanRun: task('lambda:invoke', { End: true }) },
      { 'lambda:invoke': async () => 'x'.repeat(300_000) },
    );
    expect(await startExecution(run).ended).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
  });
});

describe('a definition that cannot be interpreted locally is refused before anything starts', () => {
  const started: string[] = [];
  const handlers: TaskHandlers = {
    'lambda:invoke': async () => {
      started.push('lambda');
      return {};
    },
  };
  const problems = (states: Record<string, Json>, rest: Record<string, Json> = {}): readonly string[] => {
    try {
      startExecution(options(states, handlers, rest));
    } catch (error) {
      if (error instanceof UnsupportedDefinitionError) return error.problems;
      throw error;
    }
    return [];
  };
  const plan = task('lambda:invoke', { End: true });

  it.each<[string, Record<string, Json>, Record<string, Json>, string]>([
    ['JSONata', { PlanRun: plan }, { QueryLanguage: 'JSONata' }, 'JSONata'],
    [
      'JSONata in a state',
      { PlanRun: task('lambda:invoke', { QueryLanguage: 'JSONata', End: true }) },
      {},
      'PlanRun',
    ],
    ['variables', { PlanRun: task('lambda:invoke', { Assign: { x: 1 }, End: true }) }, {}, 'Assign'],
    [
      'an unknown resource',
      { Ask: task('glue:startJobRun.sync', { End: true }) },
      {},
      'glue:startJobRun.sync',
    ],
    ['a Map state', { Each: { Type: 'Map', End: true } }, {}, 'Map'],
    [
      'a missing time-out',
      { PlanRun: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true } },
      {},
      'TimeoutSeconds',
    ],
    [
      'a time-out longer than timers support',
      { PlanRun: task('lambda:invoke', { TimeoutSeconds: 3_000_000, End: true }) },
      {},
      '2147483',
    ],
    [
      'a context path',
      { PlanRun: task('lambda:invoke', { Parameters: { 'x.$': '$$.State.EnteredTime' }, End: true }) },
      {},
      '$$.State.EnteredTime',
    ],
    [
      'a context path inside an intrinsic function of a branch',
      {
        UseCluster: {
          Type: 'Parallel',
          Branches: [
            definition({
              PlanRun: task('lambda:invoke', {
                Parameters: { 'x.$': "States.Format('{}', $$.Execution.StartTime)" },
                End: true,
              }),
            }),
          ],
          End: true,
        },
      },
      {},
      'inside a branch',
    ],
  ])('%s', (_what, states, rest, named) => {
    const found = problems(states, rest);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(named);
    expect(started).toEqual([]);
  });
});

describe('an error that no Catch handles in AWS', () => {
  it.each(['States.Runtime', 'States.DataLimitExceeded'])(
    '%s fails the execution, ignoring every Retry and Catch',
    async (name) => {
      let calls = 0;
      const all = { ErrorEquals: ['States.ALL'] };
      const branch = {
        StartAt: 'Inner',
        States: { Inner: task('lambda:invoke', { End: true, Retry: [all] }) },
      };
      const run = options(
        {
          Try: { Type: 'Parallel', Branches: [branch], End: true, Catch: [{ ...all, Next: 'Recover' }] },
          Recover: { Type: 'Succeed' },
        },
        {
          'lambda:invoke': async () => {
            calls += 1;
            throw new TaskError(name, 'no such path');
          },
        },
      );
      expect(await startExecution(run).ended).toMatchObject({ status: 'FAILED', error: name });
      expect(calls).toBe(1);
    },
  );
});
