import { describe, expect, it } from 'vitest';
import { type HistoryEvent, HistoryReader } from '../../bin/commands/deployed/history.ts';
import { type ExecutionDescription, isSuccess, outcomeOf } from '../../bin/commands/deployed/outcome.ts';
import { listText, outcomeText } from '../../bin/commands/deployed/text.ts';
import { Timeline } from '../../local/run/timeline.ts';

/** Events one second apart, each following the previous one unless it says otherwise. */
function history(...events: readonly Partial<HistoryEvent>[]): readonly HistoryEvent[] {
  return events.map((event, index) => ({
    id: index + 1,
    previousEventId: index,
    timestamp: new Date(Date.UTC(2026, 10, 23, 7, 0, index)),
    ...event,
  }));
}
const entered = (type: string, name: string): Partial<HistoryEvent> => ({
  type: `${type}StateEntered`,
  stateEnteredEventDetails: { name },
});
const exited = (type: string, name: string): Partial<HistoryEvent> => ({
  type: `${type}StateExited`,
  stateExitedEventDetails: { name },
});

const RETRIED = history(
  { type: 'ExecutionStarted' },
  entered('Task', 'CreateCluster'),
  { type: 'TaskScheduled' },
  { type: 'TaskStarted' },
  {
    type: 'TaskSubmitFailed',
    taskSubmitFailedEventDetails: { error: 'EMR.AmazonElasticMapReduceException' },
  },
  { type: 'TaskScheduled' },
  { type: 'TaskStarted' },
  { type: 'TaskSubmitted' },
  { type: 'TaskSucceeded' },
  exited('Task', 'CreateCluster'),
  entered('Choice', 'AnythingToDo'),
);
const stateEvents = (events: readonly HistoryEvent[], reader = new HistoryReader()) =>
  reader.read(events).map(({ kind, state, error }) => [kind, state, ...(error === undefined ? [] : [error])]);

describe('the history of a deployed execution', () => {
  it('shows states that start, fail, are retried and end', () => {
    expect(stateEvents(RETRIED)).toEqual([
      ['entered', 'CreateCluster'],
      ['failed', 'CreateCluster', 'EMR.AmazonElasticMapReduceException'],
      ['retried', 'CreateCluster'],
      ['exited', 'CreateCluster'],
      ['entered', 'AnythingToDo'],
    ]);
  });

  it('reports each event once, however often it is read while it grows', () => {
    const reader = new HistoryReader();
    const parts = [0, 4, 4, 7, RETRIED.length].map((length) => stateEvents(RETRIED.slice(0, length), reader));
    expect(parts.flat()).toEqual(stateEvents(RETRIED));
    expect(parts[2]).toEqual([]);
  });

  it('assigns an event to the state of the previous event, even when branches are interleaved', () => {
    const mixed = history(
      entered('Parallel', 'UseCluster'),
      { ...entered('Task', 'Left'), previousEventId: 1 },
      { ...entered('Task', 'Right'), previousEventId: 1 },
      { type: 'TaskScheduled', previousEventId: 2 },
      { type: 'TaskScheduled', previousEventId: 3 },
      { type: 'TaskTimedOut', previousEventId: 4 },
      { type: 'TaskFailed', previousEventId: 5, taskFailedEventDetails: { error: 'States.TaskFailed' } },
    );
    expect(stateEvents(mixed).slice(3)).toEqual([
      ['failed', 'Left', 'States.Timeout'],
      ['failed', 'Right', 'States.TaskFailed'],
    ]);
  });

  it('gives the duration of each state', () => {
    const timeline = new Timeline();
    for (const event of new HistoryReader().read(RETRIED)) timeline.record(event);
    expect(timeline.states(new Date())).toEqual([{ name: 'CreateCluster', seconds: 8, status: 'SUCCEEDED' }]);
  });
});

const description = (more: Partial<ExecutionDescription>): ExecutionDescription => ({
  executionArn: 'arn:aws:states:eu-central-1:111122223333:execution:churn-dev:run-1',
  status: 'RUNNING',
  startedAt: new Date('2026-11-23T07:00:00Z'),
  endedAt: undefined,
  output: undefined,
  error: undefined,
  cause: undefined,
  ...more,
});
const NOW = new Date('2026-11-23T07:10:00Z');
const outcome = (more: Partial<ExecutionDescription>) => outcomeOf(description(more), NOW);
const SUCCESS = {
  status: 'SUCCEEDED',
  endedAt: new Date('2026-11-23T07:40:00Z'),
  output: JSON.stringify({
    plan: { decision: 'run' },
    metrics: { summary: 'Run run-1 succeeded.\nRead: 10 rows.' },
    report: { reportUri: 's3://lake/reports/run-1.html' },
  }),
};
const NOTHING = {
  status: 'SUCCEEDED',
  output: '{"plan": {"decision": "nothing-to-do", "reason": "all is known"}}',
};
const REFUSAL = { status: 'FAILED', error: 'Refused', cause: 'run run-0 lives' };
const FAILURE = {
  status: 'FAILED',
  error: 'StepError',
  cause: 'TrainModels: too short\nWhat to do: deliver more.',
};

describe('the outcome of a deployed run', () => {
  it.each([
    [{}, 'RUNNING', ''],
    [{ status: 'PENDING_REDRIVE' }, 'RUNNING', ''],
    [SUCCESS, 'SUCCEEDED', 'Run run-1 succeeded.\nRead: 10 rows.'],
    [NOTHING, 'NOTHING_TO_DO', 'all is known'],
    [REFUSAL, 'REFUSED', 'run run-0 lives'],
    [FAILURE, 'FAILED', 'StepError: TrainModels: too short\nWhat to do: deliver more.'],
    [{ status: 'ABORTED' }, 'ABORTED', 'it was stopped by hand; its cluster is being terminated'],
    [
      { status: 'TIMED_OUT' },
      'TIMED_OUT',
      'it exceeded the time limit of a run; its cluster is being terminated',
    ],
    [{ status: 'SUCCEEDED', output: '{"cut of' }, 'SUCCEEDED', ''],
  ])('%j is %s', (more, status, text) => {
    expect(outcome(more)).toMatchObject({ status, text });
    expect(isSuccess(outcome(more))).toBe(status === 'SUCCEEDED' || status === 'NOTHING_TO_DO');
  });

  it('has a duration until the end of the run, or until now', () => {
    expect(outcome(SUCCESS)).toMatchObject({ seconds: 2_400, report: 's3://lake/reports/run-1.html' });
    expect(outcome({})).toMatchObject({ seconds: 600, report: null });
  });

  it('is written as lines that say what to do', () => {
    expect(outcomeText(outcome(FAILURE))).toMatch(
      /^Run run-1: failed after 10 min 00 s\.\n {2}StepError: TrainModels: too short\n {2}What to do: deliver more\.\n {2}Console: https/,
    );
    expect(outcomeText(outcome(SUCCESS))).toContain('Report: s3://lake/reports/run-1.html');
  });

  it('is one line of a list, with the reason if the run did not succeed', () => {
    expect(listText([outcome({}), outcome(REFUSAL), outcome(SUCCESS)]).split('\n')).toEqual([
      'run-1  running    2026-11-23 07:00 UTC  10 min 00 s',
      'run-1  refused    2026-11-23 07:00 UTC  10 min 00 s  run run-0 lives',
      'run-1  succeeded  2026-11-23 07:00 UTC  40 min 00 s',
      '',
    ]);
    expect(listText([])).toMatch(/no runs yet/);
  });
});
