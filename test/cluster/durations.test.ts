import { expect, test } from 'vitest';
import { durationsText } from './durations.ts';

test('each task has a line with its seconds, in the order in which they ended; other states have none', () => {
  const at = (seconds: number): Date => new Date(1_000 * seconds);
  const event = (state: string, kind: 'entered' | 'exited', seconds: number, stateType = 'Task') => ({
    state,
    kind,
    stateType,
    at: at(seconds),
  });
  const text = durationsText([
    event('PlanRun', 'entered', 1),
    event('PlanRun', 'exited', 3.25),
    event('AnythingToDo', 'entered', 4, 'Choice'),
    event('AnythingToDo', 'exited', 4, 'Choice'),
    event('TrainModels', 'entered', 5),
    event('TrainModels', 'exited', 105.5),
  ]);
  expect(text).toBe('PlanRun                 2.3 s\nTrainModels           100.5 s\n');
});
