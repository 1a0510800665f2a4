import { readFileSync } from 'node:fs';
import aslValidator from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { RECONCILE_VALUES } from '../../../domain/reconcile.ts';
import {
  closeRunInputSchema,
  planRunInputSchema,
  renderReportInputSchema,
  storeMetricsInputSchema,
} from '../../../domain/run.ts';
import {
  LAMBDA_STATES,
  STATE_NAMES,
  STATES,
  STEP_STATES,
  type StateDefinition,
  TASK_STATES,
  VERIFYING_STATES,
} from '../../../domain/states.ts';
import { STEPS } from '../../../emr-steps/steps.ts';
import { ALREADY_NOTIFIED } from '../../../lib/pipeline/states/publish.ts';
import { LAMBDA_MINUTES } from '../../../lib/pipeline/timeouts.ts';
import { synthesize } from '../../support/synthesize.ts';
import { allStates, definition, deployed, notifier, type State } from './definition.ts';

const tasks = [...allStates].filter(([, { Type }]) => Type === 'Task');

function stateNamed(name: string): State {
  const state = allStates.get(name);
  if (state === undefined) throw new Error(`no state ${name}`);
  return state;
}

const task = (integration: string) => ({ Type: 'Task', Resource: `arn:aws:states:::${integration}` });

/** What the definition makes of each kind of state. */
const TYPES: Readonly<Record<StateDefinition['kind'], object>> = {
  lambda: task('lambda:invoke'),
  'create cluster': task('elasticmapreduce:createCluster.sync'),
  step: task('elasticmapreduce:addStep.sync'),
  'terminate cluster': task('elasticmapreduce:terminateCluster.sync'),
  query: task('athena:startQueryExecution.sync'),
  notifier: task('states:startExecution'),
  choice: { Type: 'Choice', Resource: null },
  parallel: { Type: 'Parallel', Resource: null },
  succeed: { Type: 'Succeed', Resource: null },
  fail: { Type: 'Fail', Resource: null },
};

describe('the definition', () => {
  test.each([
    ['is', definition],
    ['of the notifier is', notifier],
  ])('%s valid, with its paths and ARNs', (_, machine) => {
    const { isValid, errorsText } = aslValidator(JSON.parse(JSON.stringify(machine)), {
      checkPaths: true,
      checkArn: true,
    });
    expect(errorsText()).toBe('');
    expect(isValid).toBe(true);
  });

  test('takes its states in the order of the picture', () => {
    const path: string[] = [];
    for (let name: string | undefined = definition.StartAt; name !== undefined; ) {
      path.push(name);
      const state: State = stateNamed(name);
      for (const branch of state.Branches ?? []) {
        for (
          let inner: string | undefined = branch.StartAt;
          inner !== undefined;
          inner = branch.States[inner]?.Next ?? branch.States[inner]?.Choices?.[0]?.Next
        ) {
          path.push(inner);
        }
      }
      name = state.Next ?? state.Choices?.[0]?.Next;
    }
    expect(path).toEqual([
      'PlanRun',
      'AnythingToDo',
      'UseCluster',
      'CreateCluster',
      'VerifyOrIngest',
      'IngestEvents',
      'BuildFeatures',
      'DecideTraining',
      'TrainOrNot',
      'TrainModels',
      'VerifyOrChoose',
      'ChooseModel',
      'ScoreUsers',
      'TerminateCluster',
      'VerifyOrReconcile',
      'ReconcileLake',
      'StoreMetrics',
      'RenderReport',
      'NotifySuccess',
    ]);
    expect(path.filter((name) => stateNamed(name).Type === 'Task')).toEqual(
      TASK_STATES.filter((name) => name !== 'CloseRun'),
    );
    const others = [...allStates.keys()].filter((name) => !path.includes(name));
    expect(others.sort()).toEqual([
      ...['CloseRun', 'Failed', 'NothingToDo', 'Refused', 'ToldBefore', 'TrainedAgain'],
    ]);
  });

  test('says which decision leads where', () => {
    expect(stateNamed('AnythingToDo').Choices).toMatchObject([
      { Variable: '$.plan.decision', StringEquals: 'run', Next: 'UseCluster' },
      { Variable: '$.plan.decision', StringEquals: 'verify', Next: 'UseCluster' },
      { Variable: '$.plan.decision', StringEquals: 'nothing-to-do', Next: 'NothingToDo' },
      { Variable: '$.plan.decision', StringEquals: 'refused', Next: 'Refused' },
    ]);
    expect(stateNamed('TrainOrNot').Choices).toMatchObject([
      { Variable: '$.training.decision', StringEquals: 'train', Next: 'TrainModels' },
      { Variable: '$.training.decision', StringEquals: 'skip', Next: 'ChooseModel' },
    ]);
    expect(stateNamed('Refused')).toMatchObject({ Type: 'Fail', CausePath: '$.plan.reason' });
  });

  test('has a run that verifies a model create a cluster, train and terminate the cluster, and nothing else', () => {
    const path: string[] = [];
    const walk = (name: string | undefined): void => {
      if (name === undefined) return;
      path.push(name);
      const { Branches: branches = [], Choices: choices, Next: next } = stateNamed(name);
      for (const branch of branches) walk(branch.StartAt);
      walk(choices?.find(({ StringEquals }) => StringEquals === 'verify')?.Next ?? next);
    };
    walk(definition.StartAt);
    expect(path.filter((name) => stateNamed(name).Type === 'Task')).toEqual(VERIFYING_STATES);
    expect(path.at(-1)).toBe('TrainedAgain');
  });

  test('has every state of domain/states.ts, and no other', () => {
    expect([...allStates.keys()].sort()).toEqual([...STATE_NAMES].sort());
  });

  test.each(STATE_NAMES)('%s is run by what domain/states.ts says, which is also its comment', (name) => {
    const { Type, Resource = null, Comment } = stateNamed(name);
    expect({ Type, Resource, Comment }).toEqual({ ...TYPES[STATES[name].kind], Comment: STATES[name].does });
  });

  test('uses JSONPath throughout', () => {
    expect(JSON.stringify(definition)).not.toMatch(/QueryLanguage|\{%/);
  });
});

describe('time-outs', () => {
  test.each(tasks)('%s has its own', (_, { TimeoutSeconds }) => {
    expect(TimeoutSeconds).toBeGreaterThan(0);
  });

  test.each(TASK_STATES)(
    'of %s is what domain/states.ts says, besides the search for spot instances',
    (name) => {
      const spotMinutes = name === 'CreateCluster' ? synthesize().configuration.spotTimeoutMinutes : 0;
      expect(stateNamed(name).TimeoutSeconds).toBe((STATES[name].minutes + spotMinutes) * 60);
    },
  );

  test.each(LAMBDA_STATES)('of %s is longer than that of its Lambda', (name) => {
    expect(STATES[name].minutes).toBeGreaterThan(LAMBDA_MINUTES);
  });

  test('of an execution leaves room for every state', () => {
    const sum = tasks.reduce((seconds, [, { TimeoutSeconds = 0 }]) => seconds + TimeoutSeconds, 0);
    expect(definition.TimeoutSeconds).toBeGreaterThan(sum);
  });

  test('of CreateCluster is longer than EMR looks for spot instances', () => {
    const { TimeoutSeconds = 0, Parameters } = stateNamed('CreateCluster');
    const minutes = [...JSON.stringify(Parameters).matchAll(/"TimeoutDurationMinutes":(\d+)/g)].map(
      ([, text]) => Number(text),
    );
    expect(minutes.length).toBeGreaterThan(0);
    expect(TimeoutSeconds / 60).toBeGreaterThan(minutes.reduce((sum, each) => sum + each, 0));
  });
});

describe('failures', () => {
  const guarded = Object.entries(definition.States).filter(
    ([name, { Type }]) => ['Task', 'Parallel'].includes(Type) && name !== 'CloseRun',
  );

  test('every state that can fail is looked at', () => {
    expect(guarded.map(([name]) => name).sort()).toEqual([
      'NotifySuccess',
      'PlanRun',
      'ReconcileLake',
      'RenderReport',
      'StoreMetrics',
      'UseCluster',
    ]);
  });

  test.each(guarded)('of %s go to CloseRun, with nothing but the error', (_, state) => {
    expect(state.Catch?.at(-1)).toEqual({ ErrorEquals: ['States.ALL'], Next: 'CloseRun' });
  });

  test('are all of them caught, but that subscribers were notified before', () => {
    const others = guarded.flatMap(([name, { Catch = [] }]) =>
      Catch.slice(0, -1).map(({ ErrorEquals, Next }) => [name, ...ErrorEquals, Next]),
    );
    expect(others).toEqual([['NotifySuccess', ...ALREADY_NOTIFIED, 'ToldBefore']]);
  });

  test('end in Failed, also when closing fails itself', () => {
    expect(stateNamed('CloseRun')).toMatchObject({
      Next: 'Failed',
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'Failed' }],
    });
    expect(stateNamed('Failed')).toMatchObject({ Type: 'Fail', ErrorPath: '$.Error', CausePath: '$.Cause' });
  });

  test.each(tasks)('of %s are retried only where an error is named', (_, { Retry = [] }) => {
    expect(Retry.length).toBeGreaterThan(0);
    for (const { ErrorEquals, MaxAttempts } of Retry) {
      expect(ErrorEquals).not.toContain('States.ALL');
      expect(ErrorEquals).not.toContain('States.TaskFailed');
      expect(MaxAttempts).toBeGreaterThan(0);
    }
  });
});

describe('what the states pass on', () => {
  const inputs = {
    PlanRun: planRunInputSchema,
    StoreMetrics: storeMetricsInputSchema,
    RenderReport: renderReportInputSchema,
    CloseRun: closeRunInputSchema,
  } as const;

  test.each(Object.entries(inputs))('%s gives its Lambda the fields of its schema', (name, schema) => {
    const { Parameters } = stateNamed(name);
    expect(Parameters).toHaveProperty('Payload');
    const payload = JSON.parse(JSON.stringify(Parameters)).Payload;
    expect(
      Object.keys(payload)
        .map((key) => key.replace(/\.\$$/, ''))
        .sort(),
    ).toEqual(Object.keys(schema.shape).sort());
  });

  test('each Lambda is called, by a published version, by the state it is made for', () => {
    const { prefix } = synthesize().configuration;
    const called = LAMBDA_STATES.map((name) => {
      const [, functionName] =
        JSON.stringify(stateNamed(name).Parameters).match(/function:([\w-]+):1"/) ?? [];
      return [name, functionName];
    });
    expect(Object.fromEntries(called)).toEqual({
      PlanRun: `${prefix}-start-training`,
      DecideTraining: `${prefix}-decide-training`,
      ChooseModel: `${prefix}-choose-model`,
      StoreMetrics: `${prefix}-store-metrics`,
      RenderReport: `${prefix}-render-report`,
      CloseRun: `${prefix}-close-run`,
    });
  });

  test('each step has its state', () => {
    expect(STEP_STATES.map((name) => [name, STATES[name].stepName])).toEqual([
      ['IngestEvents', 'ingest-events'],
      ['BuildFeatures', 'build-features'],
      ['TrainModels', 'train-models'],
      ['ScoreUsers', 'score-users'],
    ]);
  });

  test.each(STEP_STATES)('%s submits the script of its step, with the plan', (name) => {
    const [scriptUri = ''] = JSON.stringify(stateNamed(name).Parameters).match(/s3:[^']+\.py/) ?? [];
    expect(readFileSync(deployed.assets.get(scriptUri) ?? '', 'utf8')).toBe(
      STEPS[STATES[name].stepName].script,
    );
    expect(stateNamed(name)).toMatchObject({
      Resource: 'arn:aws:states:::elasticmapreduce:addStep.sync',
      ResultPath: null,
      Parameters: {
        'ClusterId.$': '$.cluster.ClusterId',
        Step: {
          Name: name,
          ActionOnFailure: 'CONTINUE',
          HadoopJarStep: {
            Jar: 'command-runner.jar',
            'Args.$': expect.stringMatching(
              /^States\.Array\('spark-submit', '--deploy-mode', 'client', 's3:\/\/\S+\.py', '--plan', \$\.plan\.planUri\)$/,
            ),
          },
        },
      },
    });
  });

  test('ReconcileLake waits for its query, in the workgroup, with a value for each placeholder', () => {
    const state = stateNamed('ReconcileLake');
    expect(state.Resource).toBe('arn:aws:states:::athena:startQueryExecution.sync');
    const { 'QueryString.$': query, WorkGroup: workgroup } = JSON.parse(JSON.stringify(state.Parameters));
    expect(workgroup).toBe(synthesize().configuration.prefix);
    expect(query).not.toContain('\n');
    expect(query.match(/\{\}/g)).toHaveLength(RECONCILE_VALUES.length);
    expect(query.match(/\$\.plan\.(batchId|runId)/g)).toEqual(
      RECONCILE_VALUES.map((value) => `$.plan.${value}`),
    );
  });
});
