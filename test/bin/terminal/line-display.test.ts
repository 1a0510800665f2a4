import { describe, expect, it } from 'vitest';
import { LineDisplay } from '../../../bin/terminal/line-display.ts';
import { count, duration } from '../../../bin/terminal/words.ts';
import type { StateEvent } from '../../../local/interpreter/interpreter.ts';
import { Timeline } from '../../../local/run/timeline.ts';

const event = (
  kind: StateEvent['kind'],
  state: string,
  second: number,
  rest: Partial<StateEvent> = {},
): StateEvent => ({
  kind,
  state,
  stateType: 'Task',
  at: new Date(1_700_000_000_000 + second * 1_000),
  ...rest,
});

/** A step that succeeds on the second attempt, then a state whose failure is caught. */
const EVENTS: readonly StateEvent[] = [
  event('entered', 'UseCluster', 0, { stateType: 'Parallel' }),
  event('entered', 'IngestEvents', 0),
  event('failed', 'IngestEvents', 10, { error: 'EMR.AmazonElasticMapReduceException' }),
  event('retried', 'IngestEvents', 11),
  event('exited', 'IngestEvents', 31),
  event('entered', 'ReconcileLake', 31),
  event('failed', 'ReconcileLake', 32.5, { error: 'States.TaskFailed' }),
  event('caught', 'ReconcileLake', 32.5),
  event('exited', 'ReconcileLake', 32.5),
  event('entered', 'CloseRun', 33),
];

describe('the plain-line display of a run', () => {
  it('says when each state starts and ends, and with which outcome', () => {
    const written: string[] = [];
    const display = new LineDisplay({ write: (text: string) => written.push(text) });
    for (const each of EVENTS) display.onState(each);
    expect(written.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''))).toEqual([
      'IngestEvents started\n',
      'IngestEvents failed after 10.0 s (EMR.AmazonElasticMapReduceException)\n',
      'IngestEvents started again\n',
      'IngestEvents done in 20.0 s\n',
      'ReconcileLake started\n',
      'ReconcileLake failed after 1.5 s (States.TaskFailed)\n',
      'CloseRun started\n',
    ]);
  });
});

describe('the timeline of a run', () => {
  it('has each task state once, with its attempts combined and an unfinished state as aborted', () => {
    const timeline = new Timeline();
    for (const each of EVENTS) timeline.record(each);
    expect(timeline.states(new Date(1_700_000_036_000))).toEqual([
      { name: 'IngestEvents', seconds: 31, status: 'SUCCEEDED' },
      { name: 'ReconcileLake', seconds: 1.5, status: 'FAILED' },
      { name: 'CloseRun', seconds: 3, status: 'ABORTED' },
    ]);
  });
});

describe('numbers and durations in the terminal', () => {
  it('are formatted for people', () => {
    expect([4_210, 59_940, 65_000, 3_599_600].map(duration)).toEqual([
      '4.2 s',
      '59.9 s',
      '1 min 05 s',
      '60 min 00 s',
    ]);
    expect(count(26_259_199)).toBe('26,259,199');
  });
});
